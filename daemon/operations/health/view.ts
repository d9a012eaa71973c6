import type { HealthNumbers } from '../../../provisioners/contract/health.ts';
import { healthTypes } from '../../../provisioners/contract/health.ts';
import type { ObservedRetirement } from '../../../provisioners/contract/observed.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { ClusterCondition, ClusterHealthRecord } from '../../state/health.ts';

/** How a cluster is, in one word: the worst of its conditions. */
export type HealthStatus = 'Healthy' | 'Degraded' | 'Unhealthy' | 'Unknown';

/** A cluster's health in lists. */
export interface HealthSummary {
  readonly status: HealthStatus;
  /** Since when the condition that decides it is so. */
  readonly since: Instant;
  /** What is wrong, or what cannot be seen; absent when all is well. */
  readonly message?: string;
}

/** A cluster's health with everything that is known of it. */
export interface ClusterHealth extends HealthSummary {
  readonly cluster: string;
  readonly conditions: readonly ClusterCondition[];
  readonly numbers: HealthNumbers;
  /** When the agent told something last; it tells changes alone. */
  readonly seenAt?: Instant;
}

/** Whether what is kept may be believed now. */
export type Confidence =
  | { readonly isFresh: true }
  /** Nobody has looked since; `why` is a sentence. */
  | { readonly isFresh: false; readonly reason: string; readonly why: string; readonly since: Instant };

/**
 * Conditions as they may be shown: without an agent that looks, whatever was last seen counts for nothing, and is
 * `Unknown` since nobody looks (never green).
 */
export function shownConditions(
  record: ClusterHealthRecord | undefined,
  confidence: Confidence,
): readonly ClusterCondition[] {
  const kept = new Map(record?.conditions.map((condition) => [condition.type, condition]));
  const connected = kept.get('AgentConnected');
  const shown = healthTypes.map((type): ClusterCondition => {
    const condition = kept.get(type);
    if (confidence.isFresh && condition !== undefined) return condition;
    const { reason, why, since } = confidence.isFresh
      ? { reason: 'NotLookedYet', why: 'The agent has not told of it yet.', since: record?.seenAt ?? '' }
      : confidence;
    const before = condition === undefined ? '' : ` Before: ${condition.message}`;
    return { type, status: 'Unknown', reason, message: `${why}${before}`, lastTransitionTime: since };
  });
  return [...(connected === undefined ? [] : [connected]), ...shown];
}

/**
 * That machines which left may run still, from the daemon's own records: whoever looks at the cluster sees nothing of
 * them. Nothing where every machine is fenced.
 */
export function unfencedCondition(
  retired: Readonly<Record<string, ObservedRetirement>>,
): readonly ClusterCondition[] {
  const unfenced = Object.entries(retired).flatMap(([name, { unfenced: mark }]) =>
    mark === undefined ? [] : [{ name, ...mark }],
  );
  const [first] = unfenced.toSorted((one, other) => one.since.localeCompare(other.since));
  if (first === undefined) return [];
  const told = unfenced.map(({ name, why }) => `${name} (${why})`).join('; ');
  return [
    {
      type: 'MachinesFenced',
      status: 'False',
      severity: 'warning',
      reason: 'Unfenced',
      message: `Neither destroyed nor switched off, and may run still: ${told}.`,
      remedy: `Switch ${first.name} off for good, then say so with: remuda machine fenced CLUSTER ${first.name} --confirm ${first.name}`,
      machine: first.name,
      lastTransitionTime: first.since,
    },
  ];
}

/** How bad a condition is: 3 the cluster cannot do its work, 2 it can still, 1 it is not known, 0 it is well. */
function weightOf({ status, severity }: ClusterCondition): number {
  if (status === 'True') return 0;
  if (status === 'Unknown') return 1;
  return severity === 'critical' ? 3 : 2;
}

const statuses = ['Healthy', 'Unknown', 'Degraded', 'Unhealthy'] as const;

/** The worst of the conditions, in a word and a sentence. */
export function summaryOf(conditions: readonly ClusterCondition[]): HealthSummary {
  const newestFirst = conditions.toSorted((one, other) =>
    other.lastTransitionTime.localeCompare(one.lastTransitionTime),
  );
  const worst = newestFirst.toSorted((one, other) => weightOf(other) - weightOf(one))[0];
  if (worst === undefined) return { status: 'Unknown', since: '', message: 'Nobody has looked yet.' };
  const status = statuses[weightOf(worst)] ?? 'Unknown';
  // Without its agent nothing at all is known of a cluster; that the agent is away says nothing bad of it.
  const isAway = conditions.some(({ type, status: one }) => type === 'AgentConnected' && one !== 'True');
  return {
    status: isAway ? 'Unknown' : status,
    since: worst.lastTransitionTime,
    ...(status === 'Healthy' ? {} : { message: worst.message }),
  };
}
