import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';
import { type Instant, seconds } from '../contract/time.ts';
import { nodeOf } from './control-plane-state.ts';
import { cordonOf } from './cordon.ts';
import { type Hold, readBudgets } from './disruption-budgets.ts';
import { type DrainPolicy, usualPatience } from './drain-policy.ts';
import { drainAnnotation } from './node-mark.ts';
import { drainablePods, type NodePod } from './node-pods.ts';
import { unreadyAmong } from './unready-pods.ts';

/** What a drain is asked to do. */
export interface DrainWish {
  readonly node: string;
  readonly access: ControlPlaneAccess;
  readonly policy: DrainPolicy;
  /** The machine surely runs no more: destroyed, off or wiped. */
  readonly isFenced?: boolean;
}

/** A pod that does not go by itself, why, and what somebody could do. */
export interface StayingPod {
  readonly pod: NodePod;
  readonly why: string;
  readonly remedy: string;
  /** `namespace/name` of the budgets that hold it. */
  readonly budgets: readonly string[];
}

/** What there is to be drained, sorted by what can be done about each pod. */
export interface DrainLook {
  readonly isReady: boolean;
  /** The Node takes no new pods. */
  readonly isCordoned: boolean;
  /** What the drain of this operation noted when it began. */
  readonly begun?: { readonly since: Instant; readonly pods: number };
  /** All pods that are to go and have not ended yet. */
  readonly left: readonly NodePod[];
  /** May be asked to go now. */
  readonly free: readonly NodePod[];
  /** The policy says that a person decides about them first. */
  readonly refused: readonly StayingPod[];
  /** Held by a budget, and still within the patience of the policy. */
  readonly held: readonly StayingPod[];
  /** Held by a budget longer than that, and to be deleted past it. */
  readonly forced: readonly StayingPod[];
  /** Left on the node, as the policy says. */
  readonly skipped: readonly StayingPod[];
  /** Told to go, not ended yet. */
  readonly ending: readonly NodePod[];
  /** Told to go, and not ended though their time is long over. */
  readonly overdue: readonly StayingPod[];
}

/** How much longer than its grace period a pod may take until it is said: the kubelet looks every few seconds. */
const slack = seconds(30);

const noteSchema = z.object({ operation: z.string(), since: z.string(), pods: z.int() });

/** What a Node is marked with when its drain begins. */
export const drainNote = (operation: string, since: Instant, pods: number): string =>
  JSON.stringify({ operation, since, pods });

function begunOf(node: KubernetesObject, operation: string): DrainLook['begun'] {
  const text = node.metadata.annotations?.[drainAnnotation];
  if (text === undefined) return undefined;
  try {
    const note = noteSchema.parse(JSON.parse(text));
    return note.operation === operation ? { since: note.since, pods: note.pods } : undefined;
  } catch {
    // Somebody wrote there; the drain begins anew, which costs no more than patience.
    return undefined;
  }
}

const conditionsSchema = z.object({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .optional(),
});

const isNodeReady = (node: KubernetesObject): boolean =>
  (conditionsSchema.parse(node).status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );

const staying = (pod: NodePod, { why, remedy, budgets }: Hold): StayingPod => ({ pod, why, remedy, budgets });

/** Why a pod may not be moved before a person has decided; undefined when it may. Finished pods hold nothing. */
function refusalOf(pod: NodePod, policy: DrainPolicy): StayingPod | undefined {
  if (pod.isFinished) return undefined;
  if (pod.isUnmanaged && policy.unmanaged === 'refuse')
    return staying(pod, {
      budgets: [],
      why: `pod ${pod.title} has no controller that would make it again`,
      remedy: `Delete or move pod ${pod.title} yourself, or write spec.maintenance.drain.unmanaged: delete, and apply.`,
    });
  if (pod.emptyDirs.length > 0 && policy.emptyDir === 'refuse')
    return staying(pod, {
      budgets: [],
      why: `pod ${pod.title} would lose what its emptyDir volumes hold (${pod.emptyDirs.join(', ')})`,
      remedy: `Save what pod ${pod.title} keeps there and delete it yourself, or write spec.maintenance.drain.emptyDir: delete, and apply.`,
    });
  return undefined;
}

/** Why a pod that was told to go has not ended, long after its time. */
function overdueOf(pod: NodePod, node: string, isReady: boolean): StayingPod {
  if (pod.finalizers.length > 0)
    return staying(pod, {
      budgets: [],
      why: `pod ${pod.title} is kept by its finalizers: ${pod.finalizers.join(', ')}`,
      remedy: `See why whoever set the finalizers of pod ${pod.title} does not remove them.`,
    });
  if (!isReady)
    return staying(pod, {
      budgets: [],
      why: `the Node ${node} is not ready, so nobody confirms that pod ${pod.title} has ended; it may still run`,
      remedy: `Bring ${node} back, or fence its machine (destroy it or power it off): then its pods are taken out of the cluster at once.`,
    });
  return staying(pod, {
    budgets: [],
    why: `pod ${pod.title} should have ended by ${pod.dueBy ?? 'now'}, and has not`,
    remedy: `Read the log of the kubelet on ${node} and see why it cannot end pod ${pod.title}.`,
  });
}

/** Adds to the first few which other pods of their budgets are not healthy, and why: what is really waited for. */
async function explain(
  context: StepContext,
  access: ControlPlaneAccess,
  held: readonly (readonly [NodePod, Hold])[],
): Promise<StayingPod[]> {
  const words = new Map<string, string | undefined>();
  for (const [, { budgets, lacking }] of held.slice(0, 3))
    if (lacking !== undefined && !words.has(budgets.join()))
      words.set(budgets.join(), await unreadyAmong(context, access, lacking));
  return held.map(([pod, hold]) => {
    const unready = words.get(hold.budgets.join());
    return staying(
      pod,
      unready === undefined ? hold : { ...hold, why: `${hold.why}; not healthy: ${unready}` },
    );
  });
}

/** Sorts the pods that were not told to go yet. */
async function sortWaiting(
  context: StepContext,
  { access, policy }: DrainWish,
  waiting: readonly NodePod[],
  isImpatient: boolean,
): Promise<Pick<DrainLook, 'free' | 'refused' | 'held' | 'forced' | 'skipped'>> {
  const refused = waiting.flatMap((pod) => refusalOf(pod, policy) ?? []);
  const canBeHeld = waiting.some(({ isIdle }) => !isIdle);
  const holdOf = readBudgets(canBeHeld ? await context.kubernetes.disruptionBudgets(access) : []);
  const free: NodePod[] = [];
  const holds: (readonly [NodePod, Hold])[] = [];
  for (const pod of waiting) {
    if (refused.some((one) => one.pod === pod)) continue;
    const { title, labels, isReady, reference } = pod;
    const hold = pod.isIdle ? undefined : holdOf({ title, labels, isReady, namespace: reference.namespace });
    if (hold === undefined) free.push(pod);
    else holds.push([pod, hold]);
  }
  const held = await explain(context, access, holds);
  const when = (whenBlocked: DrainPolicy['whenBlocked']): readonly StayingPod[] =>
    isImpatient && policy.whenBlocked === whenBlocked ? held : [];
  const forced = when('force');
  const skipped = when('skip');
  return { free, refused, forced, skipped, held: forced.length + skipped.length > 0 ? [] : held };
}

/** Looks at a node and its pods; undefined when there is no such Node. The cost grows with the pods on it alone. */
export async function lookAtDrain(context: StepContext, wish: DrainWish): Promise<DrainLook | undefined> {
  const { node: name, access, policy } = wish;
  const [node, left] = await Promise.all([
    nodeOf(context, access, name),
    drainablePods(context, access, name),
  ]);
  if (node === undefined) return undefined;
  const isReady = isNodeReady(node);
  const begun = begunOf(node, context.operation);
  const now = Date.parse(context.now());
  const patience = policy.forceAfter ?? usualPatience;
  const isImpatient = begun !== undefined && now - Date.parse(begun.since) >= patience;
  const told = left.filter(({ dueBy }) => dueBy !== undefined);
  const late = told.filter(({ dueBy = '' }) => now - Date.parse(dueBy) > slack);
  const overdue = late.map((pod) => overdueOf(pod, name, isReady));
  const sorted = await sortWaiting(
    context,
    wish,
    left.filter((pod) => !told.includes(pod)),
    isImpatient,
  );
  // What was told to go and never ends is left behind with the others; nobody may force it while it may still run.
  const isLeft = isImpatient && policy.whenBlocked === 'skip';
  return {
    isReady,
    isCordoned: cordonOf(node).state !== 'none',
    ...(begun === undefined ? {} : { begun }),
    left,
    ...sorted,
    skipped: isLeft ? [...sorted.skipped, ...overdue] : sorted.skipped,
    overdue: isLeft ? [] : overdue,
    ending: told.filter((pod) => !late.includes(pod)),
  };
}
