import type { Observed } from '../../provisioners/contract/observed.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import type { DrainPolicy } from '../../provisioners/kubernetes/drain-policy.ts';
import {
  groupOf,
  type GroupMember,
  type ReadyFloor,
  shortfallAmong,
} from '../../provisioners/kubernetes/ready-floor.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { parseDuration } from '../spec/schema/quantity-syntax.ts';
import type { Difference } from './difference.ts';
import { disrupts } from './disruption.ts';

/** What a drain may do, from `spec.maintenance.drain`. */
export function drainPolicyOf({ spec }: ClusterDocument): DrainPolicy {
  const { unmanaged, emptyDir, whenBlocked, gracePeriod, forceAfter } = spec.maintenance.drain;
  return {
    unmanaged,
    emptyDir,
    whenBlocked,
    ...(gracePeriod === undefined ? {} : { gracePeriod: parseDuration(gracePeriod) }),
    ...(forceAfter === undefined ? {} : { forceAfter: parseDuration(forceAfter) }),
  };
}

/**
 * How many of a worker's group must go on serving while it is closed to new pods (`spec.maintenance.minimumReady`),
 * counted from the number that is asked for; undefined where none has to: of a group that is given up.
 */
export function readyFloorOf(
  { metadata, spec }: Pick<ClusterDocument, 'metadata' | 'spec'>,
  machine: string,
): ReadyFloor | undefined {
  const group = groupOf(machine);
  const asked = spec.workers.find(({ name }) => `${metadata.name}-${name}` === group)?.replicas ?? 0;
  const { minimumReady } = spec.maintenance;
  const ready =
    typeof minimumReady === 'number'
      ? Math.min(minimumReady, asked)
      : Math.ceil((asked * Number.parseInt(minimumReady, 10)) / 100);
  return ready < 1 ? undefined : { group, ready };
}

/** The machines of a group as they are seen, those that are on their way as if they served: each waits for them. */
function membersOf({ observed, difference }: Seen, group: string, candidate: string): GroupMember[] {
  const coming = difference.unfinished.filter(({ name }) => groupOf(name) === group).map(({ name }) => name);
  const there = (observed.nodes ?? []).filter(
    ({ name }) => groupOf(name) === group && !coming.includes(name),
  );
  return [
    ...coming.map((name) => ({ name })),
    ...there.map(({ name, ready, notReadyBecause, unschedulable }) => {
      if (!ready) return { name, idle: notReadyBecause ?? 'not Ready' };
      return unschedulable && name !== candidate ? { name, idle: 'takes no new pods' } : { name };
    }),
  ];
}

interface Seen {
  readonly document: ClusterDocument;
  readonly observed: Observed;
  readonly difference: Difference;
}

/** Groups of which too few machines serve just now: what is to leave them waits. A sentence each. */
export function noticesOfReadiness(seen: Seen): string[] {
  const leaving = seen.difference.leaving.filter(({ role, isAnswering }) => role === 'worker' && isAnswering);
  const firsts = new Map(leaving.toReversed().map(({ name }) => [groupOf(name), name]));
  return [...firsts].flatMap(([group, first]) => {
    const floor = readyFloorOf(seen.document, first);
    const shortfall = floor && shortfallAmong(floor, membersOf(seen, group, first), first);
    return shortfall === undefined ? [] : [`${shortfall.why}. ${shortfall.remedy}`];
  });
}

/** When what disturbs what runs may begin, where the plan has such steps and the document names windows. */
export function noticesOfWindows(
  { spec }: Pick<ClusterDocument, 'spec'>,
  steps: readonly PlannedStep[],
): string[] {
  const { windows } = spec.maintenance;
  if (windows.length === 0 || !steps.some(disrupts)) return [];
  const told = windows.map(
    ({ days, from, to, timeZone }) => `${days.join(', ')} ${from} to ${to} ${timeZone}`,
  );
  return [`What disturbs what runs waits for a maintenance window: ${told.join('; ')}.`];
}
