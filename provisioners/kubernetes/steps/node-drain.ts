import { z } from 'zod';
import { defineStep, type Observation } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema } from '../cluster-settings.ts';
import { type DrainLook, lookAtDrain, type StayingPod } from '../drain-look.ts';
import { drainPolicySchema } from '../drain-policy.ts';
import { awaitedOf, drainRound, nameSome, wordsOf } from '../drain-round.ts';
import { drainRun } from '../limits.ts';

const inputSchema = z.strictObject({
  node: z.string(),
  access: accessSchema,
  policy: drainPolicySchema,
  /**
   * The machine surely runs no more (destroyed, off or wiped): its pods are taken out of the cluster without anybody's
   * word, whatever the policy says. Waits until the cluster, too, sees the Node as not ready.
   */
  isFenced: z.boolean().exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

/** What a drain leaves to refer to. */
export type DrainFacts = {
  /** Pods that were there when it began and are gone. */
  readonly evicted: number;
  /** Pods (`namespace/name`) that were left on the node, and why. */
  readonly skipped: readonly { readonly pod: string; readonly why: string }[];
};

const factsOf = ({ begun, skipped }: Pick<DrainLook, 'begun' | 'skipped'>): DrainFacts => ({
  evicted: Math.max(0, (begun?.pods ?? 0) - skipped.length),
  skipped: skipped.map(({ pod, why }) => ({ pod: pod.title, why })),
});

function blocked(stays: readonly StayingPod[], { node }: Input): Observation<DrainFacts> {
  return { state: 'blocked', what: awaitedOf(stays, node), ...wordsOf(stays) };
}

/** What is seen of pods that were told to go. */
function pendingOf(
  { ending, begun, isReady }: DrainLook,
  { node }: Input,
  now: string,
): Observation<DrainFacts> {
  const titles = ending.map(({ title, dueBy = '' }) => `${title} (by ${dueBy})`);
  const told = ending.flatMap(({ toldAt }) => toldAt ?? []).toSorted();
  const silent = isReady ? '' : `; the Node ${node} is not ready`;
  return {
    state: 'pending',
    what: `the pods of ${node} to end`,
    lastSeen: `${ending.length} left: ${nameSome(titles)}${silent}`,
    since: told[0] ?? begun?.since ?? now,
    usually: seconds(30),
  };
}

/** Judges a node whose machine runs no more. */
function judgeFenced(look: DrainLook, input: Input, now: string): Observation<DrainFacts> {
  const names = nameSome(look.left.map(({ title }) => title));
  if (!look.isReady)
    return { state: 'todo', why: `the fenced machine of ${input.node} cannot end its pods: ${names}` };
  return {
    state: 'pending',
    what: `the cluster to see that ${input.node} is gone`,
    lastSeen: `its Node is still called ready; on it: ${names}`,
    since: now,
    // kube-controller-manager's node-monitor-grace-period, 40 s up to 1.31 and 50 s from 1.32.
    usually: seconds(50),
  };
}

function judge(look: DrainLook, input: Input, now: string): Observation<DrainFacts> {
  const { left, skipped, refused, free, forced, held, overdue, ending } = look;
  if (left.length === 0) return { state: 'done', facts: factsOf(look) };
  if (input.isFenced === true) return judgeFenced(look, input, now);
  if (refused.length > 0) return blocked(refused, input);
  const movable = [...free, ...forced.map(({ pod }) => pod)];
  if (movable.length > 0)
    return {
      state: 'todo',
      why: `pods are to leave ${input.node}: ${nameSome(movable.map((pod) => pod.title))}`,
    };
  if (!look.isCordoned && skipped.length < left.length)
    return { state: 'todo', why: `the Node ${input.node} takes new pods again` };
  // Until its drain has begun, nobody can tell how long a pod has held out.
  if (look.begun === undefined && held.length + overdue.length > 0)
    return { state: 'todo', why: `the drain of ${input.node} has not begun` };
  if (held.length + overdue.length > 0) return blocked([...held, ...overdue], input);
  if (ending.length > 0) return pendingOf(look, input, now);
  return { state: 'done', facts: factsOf(look) };
}

/**
 * Moves the pods off a node as kubectl drain does: mirrors of static pods and pods of DaemonSets stay, everything else
 * is evicted. Whatever keeps a pod is named with the budget that does and what would end it; the other pods go on
 * meanwhile, and so does the drain as soon as the budget yields. A Node that is gone is drained.
 */
export const nodeDrain = defineStep<Input, DrainFacts>({
  kind: 'node.drain',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  disrupts: true,
  title: ({ node }) => `Move the pods off ${node}`,
  schema: inputSchema,
  limits: drainRun,
  async observe(context, input) {
    const look = await lookAtDrain(context, input);
    if (look === undefined) return { state: 'done', facts: factsOf({ skipped: [] }) };
    return judge(look, input, context.now());
  },
  apply: (context, input) => drainRound(context, input),
});
