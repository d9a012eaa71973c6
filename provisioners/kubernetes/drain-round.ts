import { Blocked, Problem } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import { beginDrain } from './cordon.ts';
import { type DrainLook, drainNote, type DrainWish, lookAtDrain, type StayingPod } from './drain-look.ts';
import type { NodePod } from './node-pods.ts';

/** So many pods are asked to go at a time: enough to be quick, few enough for an API server that serves others. */
const atATime = 10;

/** After a round in which every pod was refused, as long as kubectl drain waits before it asks again. */
const afterRefusal = seconds(5);

/** Runs work on all, so many at a time, and every one to its end. @throws the first problem that was met */
async function forEachPod(pods: readonly NodePod[], work: (pod: NodePod) => Promise<void>): Promise<void> {
  const waiting = [...pods];
  const problems: unknown[] = [];
  const next = async (): Promise<void> => {
    for (let pod = waiting.shift(); pod !== undefined; pod = waiting.shift()) {
      try {
        await work(pod);
      } catch (thrown) {
        // One pod's trouble keeps no other from going; what is no problem of the cluster ends the round.
        if (!(thrown instanceof Problem)) throw thrown;
        problems.push(thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, waiting.length) }, next));
  if (problems.length > 0) throw problems[0];
}

/** A few names, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** What is awaited while pods stay; the same words as long as the same holds them. */
export function awaitedOf(stays: readonly StayingPod[], node: string): string {
  const budgets = [...new Set(stays.flatMap((stay) => stay.budgets))].toSorted();
  return budgets.length === 0
    ? `the pods of ${node} to be free to go`
    : `PodDisruptionBudget ${nameSome(budgets)} to let pods of ${node} go`;
}

/** Why pods stay, and what somebody could do: the first few of each, without repeating a remedy. */
export function wordsOf(stays: readonly StayingPod[]): { readonly why: string; readonly remedy: string } {
  const whys = stays.slice(0, 3).map(({ why }) => why);
  const more = stays.length > 3 ? `; and ${stays.length - 3} more pods` : '';
  const remedies = [...new Set(stays.map(({ remedy }) => remedy))].slice(0, 3);
  const isHeld = stays.some(({ budgets }) => budgets.length > 0);
  const ways = isHeld
    ? ' The drain goes on by itself then. Or write spec.maintenance.drain.whenBlocked: `skip` (leaves such pods on the node) or `force` (deletes them past the budget), apply it, and cancel this operation: the applied one goes on.'
    : '';
  return { why: `${whys.join('; ')}${more}`, remedy: `${remedies.join(' ')}${ways}` };
}

/** Asks the free pods to go. @returns those that a budget refused after all */
async function evictFree(
  context: StepContext,
  { access, policy, node }: DrainWish,
  free: readonly NodePod[],
): Promise<readonly StayingPod[]> {
  const refused: StayingPod[] = [];
  await forEachPod(free, async (pod) => {
    const answer = await context.kubernetes.evict(access, pod.reference, policy.gracePeriod);
    if (answer.state === 'evicted') context.log(`pod ${pod.title} is told to go`, node);
    else
      refused.push({
        pod,
        why: `pod ${pod.title} may not go: ${answer.why}`,
        remedy: 'Nothing is to be done while its replacements start: it is asked again.',
        budgets: [],
      });
  });
  return refused;
}

/** Takes the pods of a machine that surely runs no more out of the cluster: nobody else would confirm their end. */
async function buryAll(context: StepContext, { access, node }: DrainWish, look: DrainLook): Promise<void> {
  if (look.isReady) return;
  await forEachPod(look.left, async (pod) => {
    await context.kubernetes.deletePod(access, pod.reference, 0);
    context.log(`pod ${pod.title} is taken out of the cluster: its machine is fenced`, node);
  });
}

/** Deletes what a budget has held for too long, as somebody chose. */
const forceHeld = (
  context: StepContext,
  { access, policy, node }: DrainWish,
  forced: readonly StayingPod[],
): Promise<void> =>
  forEachPod(
    forced.map(({ pod }) => pod),
    async (pod) => {
      await context.kubernetes.deletePod(access, pod.reference, policy.gracePeriod);
      const why = forced.find((one) => one.pod === pod)?.why ?? '';
      context.log(`pod ${pod.title} is deleted past its budget, as chosen (${why})`, node);
    },
  );

/**
 * One round of a drain: cordons where that is not so, notes when it began, then asks every pod that is free to go.
 * @throws Blocked DRAIN-001 when a person must decide first; DRAIN-002 when budgets refused some; the others went on
 */
export async function drainRound(context: StepContext, wish: DrainWish): Promise<void> {
  const { node, access } = wish;
  const look = await lookAtDrain(context, wish);
  if (look === undefined) return;
  const { refused, free, forced, left, begun } = look;
  if (wish.isFenced !== true && refused.length > 0) {
    const { why, remedy } = wordsOf(refused);
    throw new Blocked('DRAIN-001', why, { machine: node, remedy, awaits: awaitedOf(refused, node) });
  }
  const { since, pods } = begun ?? { since: context.now(), pods: left.length };
  await beginDrain(context, access, node, drainNote(context.operation, since, pods));
  if (wish.isFenced === true) {
    await buryAll(context, wish, look);
    return;
  }
  await forceHeld(context, wish, forced);
  const held = await evictFree(context, wish, free);
  context.progress(pods - left.length + free.length - held.length, pods, 'pods moved');
  if (held.length === 0) return;
  if (held.length === free.length) await context.sleep(afterRefusal);
  const { why, remedy } = wordsOf(held);
  throw new Blocked('DRAIN-002', why, {
    machine: node,
    remedy,
    awaits: `the pods of ${node} to be free to go`,
  });
}
