import type { Intent } from '../../provisioners/contract/intent.ts';
import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { State } from '../state/state.ts';
import type { Subject } from './observation.ts';
import type { Planners } from './planners.ts';
import { digestOf } from './review.ts';

/** Whoever plans has these. */
export interface PlanningParts {
  readonly state: State;
  readonly planners: Planners;
  readonly recoveryRecipient?: string;
}

/** What is asked of a cluster, as one digest over both documents: the revision that plans are made for. */
export const revisionOf = (subject: Pick<Subject, 'desired' | 'provider'>): string =>
  digestOf({ cluster: subject.desired.document, provider: subject.provider.document });

/**
 * A plan on what was just seen: towards the cluster's document, or to bring about an intent.
 * @throws Problem when it cannot be planned, or not on what was seen
 */
export function planOn(
  { state, planners, recoveryRecipient }: PlanningParts,
  request: {
    readonly subject: Subject;
    readonly observed: Observed;
    readonly keys: ClusterPublicKeys;
    readonly bypass: readonly string[];
    readonly intent?: Intent;
    /** As in the plan before this one, where an operation goes on. */
    readonly hooksFor?: string;
    /** Machines that are to leave because somebody named them. */
    readonly retire?: Readonly<Record<string, Retirement>>;
  },
): Plan {
  const { subject, intent, retire, ...rest } = request;
  const { desired, provider, cluster } = subject;
  const input = {
    ...rest,
    desired,
    provider,
    revision: revisionOf(subject),
    ...(recoveryRecipient === undefined ? {} : { recoveryRecipient }),
    hasReceipt: (kind: string) => state.attempts.hasReceipt(cluster.uid, kind),
    hasBegun: (kind: string) => state.attempts.hasBegun(cluster.uid, kind),
    unfinished: (kind: string) => state.attempts.unfinished(cluster.uid, kind),
  };
  if (intent !== undefined) return planners.planIntent({ ...input, intent });
  return planners.planCluster(retire === undefined ? input : { ...input, retire });
}
