import { z } from 'zod';
import type { WatchedCluster } from '../../../appliance/agent/protocol/watch.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { ClusterEntry } from '../../state/clusters.ts';
import type { State } from '../../state/state.ts';
import { contextFor } from '../observation.ts';
import { subjectOf } from '../plan-record.ts';
import type { Planners } from '../planners.ts';

/** What is asked for, as it is kept. */
const versionSchema = z.looseObject({
  spec: z.looseObject({ kubernetes: z.looseObject({ version: z.string() }) }),
});

/** How many operations back it is looked whether one has made the cluster. */
const lookBack = 50;

/**
 * What an agent needs to look after a cluster; undefined when nobody is to: it was never finished, it is being deleted,
 * or a secret that is needed to reach it is missing (every operation on it says so).
 */
export function watchedCluster(
  state: State,
  planners: Planners,
  { uid }: ClusterEntry,
): WatchedCluster | undefined {
  const operations = state.operations.list(uid, lookBack);
  const isMade = operations.some(({ kind, state: how }) => kind !== 'delete' && how === 'succeeded');
  const holder = state.operations.holder(uid);
  if (!isMade || holder?.kind === 'delete') return undefined;
  try {
    const subject = subjectOf(state, planners, uid);
    const { desired } = subject;
    return {
      context: contextFor(state, subject),
      ...machinesOf(state, uid),
      ...(desired.endpoint === undefined ? {} : { endpoint: desired.endpoint }),
      apiPort: desired.apiPort,
      kubernetesVersion: versionSchema.parse(desired.document).spec.kubernetes.version,
      // A backup changes nothing: what is seen meanwhile counts as ever.
      isChanging: holder !== undefined && holder.kind !== 'backup',
    };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/**
 * Machines that were met, but for those that do not do all of their work any more. Who is to leave serves until its turn
 * has come: in an upgrade nobody else does at first.
 */
function machinesOf(state: State, uid: string): Pick<WatchedCluster, 'references' | 'leaving'> {
  const retired = state.retirements.list(uid);
  const isOver = (name: string): boolean => {
    const { isFenced = false, isStripped = false, unfenced } = retired[name] ?? {};
    return isFenced || isStripped || unfenced !== undefined;
  };
  const references = state.machines
    .list(uid)
    .flatMap(({ name, reference }) =>
      reference === undefined || isOver(name) ? [] : [[name, reference] as const],
    );
  const leaving = references.map(([name]) => name).filter((name) => name in retired);
  return { references: Object.fromEntries(references), ...(leaving.length === 0 ? {} : { leaving }) };
}
