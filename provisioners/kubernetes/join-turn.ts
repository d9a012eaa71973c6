import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, ObjectReference } from '../contract/ports/kubernetes.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { minutes, seconds } from '../contract/time.ts';
import { isMemberOf } from './control-plane-state.ts';
import { whyNotAdd } from './membership.ts';

/**
 * Masters join one at a time, in whatever order they are ready. Whose turn it is stands in the cluster itself, so that
 * it is known after every crash, and while the machine that has it is silent: one ConfigMap a master, from before
 * kubeadm starts there until its member is a healthy voter.
 */
const label = 'remuda.dev/joining';

/** The same words before and after a turn was refused, so that people read of one wait. */
export const awaitsTurn = (others: string): string => `${others} to have joined: masters join one at a time`;

/** A mark that no attempt went on from is left over after a crash; the calls in between are over much sooner. */
const staleAfter = minutes(5);

/** How long the first by name waits for those that came at the same moment to step back, in looks a second apart. */
const mostLooks = 10;

const markSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  data: z.object({ stage: z.enum(['asking', 'joining']), since: z.string() }),
});

/** A master that asks for its turn, or has it. */
interface Joining {
  readonly name: string;
  readonly stage: 'asking' | 'joining';
}

const referenceOf = (name: string): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-system',
  name: `remuda-joining-${name}`,
});

function markOf(context: StepContext, name: string, stage: Joining['stage']): KubernetesObject {
  const { apiVersion, kind, ...metadata } = referenceOf(name);
  const data = { stage, since: context.now() };
  return { apiVersion, kind, metadata: { ...metadata, labels: { [label]: name } }, data };
}

/** Masters that ask or join just now; one that has asked and then heard nothing more is left out. */
async function joiningNow(context: StepContext, access: ControlPlaneAccess): Promise<Joining[]> {
  const marks = await context.kubernetes.list(access, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'kube-system',
    labelSelector: label,
  });
  return marks.flatMap((object) => {
    const { metadata, data } = markSchema.parse(object);
    const isStale = Date.parse(context.now()) - Date.parse(data.since) > staleAfter;
    if (data.stage === 'asking' && isStale) return [];
    return [{ name: metadata.labels[label] ?? '', stage: data.stage }];
  });
}

/** Who has to have joined before this machine may; nobody when it is on its way itself. */
export async function othersJoining(
  context: StepContext,
  machine: Pick<MachineRef, 'name'>,
  access: ControlPlaneAccess,
): Promise<string[]> {
  const found = await joiningNow(context, access);
  if (found.some(({ name, stage }) => name === machine.name && stage === 'joining')) return [];
  return found.map(({ name }) => name).filter((name) => name !== machine.name);
}

/** Whether it is still marked as being on its way. */
export const hasTurn = async (
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
): Promise<boolean> => (await joiningNow(context, access)).some(({ name }) => name === machine.name);

/** The next one may join. */
export const endTurn = (
  context: StepContext,
  { name }: Pick<MachineRef, 'name'>,
  access: ControlPlaneAccess,
): Promise<void> => context.kubernetes.remove(access, referenceOf(name));

/**
 * Takes the turn: asks for it, sees that nobody else does or has it, then has it. Of several that ask at the same
 * moment the first by name waits until the others have stepped back.
 * @throws Blocked when it is somebody else's
 */
export async function takeTurn(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
): Promise<void> {
  const before = await joiningNow(context, access);
  if (before.some(({ name, stage }) => name === machine.name && stage === 'joining')) return;
  await context.kubernetes.apply(access, [markOf(context, machine.name, 'asking')]);
  for (let looks = 1; ; looks += 1) {
    const found = await joiningNow(context, access);
    const others = found.filter(({ name }) => name !== machine.name);
    if (others.length === 0) break;
    const isFirst = others.every(({ name, stage }) => stage === 'asking' && machine.name < name);
    if (!isFirst || looks >= mostLooks) {
      await endTurn(context, machine, access);
      const names = others.map(({ name }) => name).join(', ');
      throw new Blocked('MASTER-001', `${names} is joining, and masters join one at a time`, {
        remedy: `Nothing is to be done while ${names} answers: ${machine.name} joins next.`,
        awaits: awaitsTurn(names),
      });
    }
    await context.sleep(seconds(1));
  }
  await context.kubernetes.apply(access, [markOf(context, machine.name, 'joining')]);
}

/**
 * Looks just before a master joins: the voters that are there keep their quorum even if the new one never starts; with
 * etcd's learners it has no vote until then (DESIGN §5). One alone has nothing to spare, and the plan says so.
 * @throws Blocked naming the members that are not well
 */
export async function requireRoomForOne(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
  hasLearners: boolean,
): Promise<void> {
  const members = await context.etcd.members(access);
  const hold = whyNotAdd(members, hasLearners, (member) => isMemberOf(machine, member));
  if (hold === undefined) return;
  throw new Blocked('MASTER-002', hold.why, {
    machine: machine.name,
    remedy: `Bring ${hold.unwell.join(', ')} back; then ${machine.name} joins by itself.`,
  });
}
