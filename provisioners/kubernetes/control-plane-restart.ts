import type { MachineRef } from '../contract/machine.ts';
import type { EtcdMember } from '../contract/observed.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Blocked, Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { minutes, seconds } from '../contract/time.ts';
import { isMemberOf } from './control-plane-state.ts';
import type { CertifiedComponent } from './kubeadm-certificates.ts';
import { type Hold, quorumOf, successorOf } from './membership.ts';

/** One component of one master that is to be restarted, and through whom the cluster is reached. */
export interface Restart {
  readonly machine: MachineRef;
  readonly component: CertifiedComponent;
  readonly access: ControlPlaneAccess;
  /** Certificates have run out: a cluster that does not answer has nothing to lose, and cannot be well yet. */
  readonly isRescue: boolean;
}

/**
 * How long a component may take to be well again. The kubelet starts it at once, but after several restarts within ten
 * minutes it waits ever longer, up to five minutes (pkg/kubelet: MaxContainerBackOff).
 */
const patience = minutes(7);

/** Masters to ask, this one among them, and it last: it is the one that will be away. */
const withItself = ({ access, machine }: Restart): ControlPlaneAccess => ({
  ...access,
  masters: [...access.masters.filter(({ name }) => name !== machine.name), machine],
});

const isWell = ({ started, healthy, learner }: EtcdMember): boolean => started && healthy && !learner;

/**
 * Why a member must not be restarted now, or undefined when it may: it stays a voter while it is away, so the others
 * must be a majority of all. With one or two voters they never are; there it may be while all are well, and the cluster
 * is without etcd for those seconds.
 */
export function whyNotRestart(members: readonly EtcdMember[], id: string): Hold | undefined {
  const voters = members.filter(({ learner }) => !learner);
  const others = voters.filter((member) => member.id !== id);
  const unwell = others.filter((member) => !isWell(member));
  const needed = quorumOf(voters.length);
  const staying = others.length - unwell.length;
  if (staying >= needed || (voters.length <= 2 && unwell.length === 0)) return undefined;
  const names = unwell.map(({ name, id: unnamed }) => (name === '' ? `unstarted ${unnamed}` : name));
  return {
    why: `while it is away, ${staying} of ${voters.length} etcd voters would answer and ${needed} are needed (not answering: ${names.join(', ')})`,
    unwell: names,
  };
}

/** The members, or undefined where nothing answers in a rescue. */
async function membersOf(context: StepContext, given: Restart): Promise<EtcdMember[] | undefined> {
  try {
    return await context.etcd.members(withItself(given));
  } catch (thrown) {
    if (given.isRescue && thrown instanceof Transient) return undefined;
    throw thrown;
  }
}

/** Moves the lead away from the member that goes, as far as somebody else can have it. */
async function prepareEtcd(context: StepContext, given: Restart): Promise<void> {
  const { machine } = given;
  const members = await membersOf(context, given);
  const own = members?.find((member) => isMemberOf(machine, member));
  if (members === undefined || own === undefined) return;
  // Where no quorum is left there is none to be lost: it comes back with the majority that was renewed.
  const isLost = given.isRescue && !members.some(isWell);
  const hold = isLost ? undefined : whyNotRestart(members, own.id);
  if (hold !== undefined)
    throw new Blocked('CERT-002', `etcd on ${machine.name} is not restarted: ${hold.why}.`, {
      machine: machine.name,
      awaits: `etcd on ${hold.unwell.join(', ')} to be well`,
      remedy: `Bring ${hold.unwell.join(', ')} back; the renewal goes on by itself.`,
    });
  const heir = successorOf(members, own.id);
  if (own.leader && heir !== undefined) await context.etcd.moveLeader(withItself(given), heir.id);
}

/** An API server goes only while another answers, where there is another. */
async function prepareApiServer(context: StepContext, { machine, access }: Restart): Promise<void> {
  const others = access.masters.filter(({ name }) => name !== machine.name);
  if (others.length === 0 || (await context.kubernetes.version(access, machine)) === undefined) return;
  const answers = await Promise.all(others.map((other) => context.kubernetes.version(access, other)));
  if (answers.some((version) => version !== undefined)) return;
  const names = others.map(({ name }) => name).join(', ');
  throw new Blocked('CERT-003', `The API server on ${machine.name} is the only one that answers`, {
    machine: machine.name,
    awaits: `the API server on ${names} to answer`,
    remedy: `Bring an API server of ${names} back; the renewal goes on by itself.`,
  });
}

/** What is still awaited of a component, or undefined when it is well. */
async function awaited(context: StepContext, given: Restart): Promise<string | undefined> {
  const { machine, component } = given;
  const { name } = component;
  const [state] = await context.host.components(machine, [component]);
  // In a rescue nobody is well before a majority has new certificates: this one has done its share.
  if (given.isRescue) return undefined;
  if (state?.served === undefined) return `${name} does not answer yet`;
  if (name === 'etcd') {
    const members = await context.etcd.members(withItself(given));
    const own = members.find((member) => isMemberOf(machine, member));
    return own === undefined || own.healthy ? undefined : 'its member is not healthy yet';
  }
  if (name !== 'kube-apiserver') return undefined;
  const version = await context.kubernetes.version(given.access, machine);
  return version === undefined ? 'its /readyz does not pass yet' : undefined;
}

/**
 * Waits until a component is well, so that the next one, or the next master, may go.
 * @throws Transient when it is not after some minutes: it is looked at again
 */
export async function awaitWell(context: StepContext, given: Restart): Promise<void> {
  const { machine, component } = given;
  const since = context.now();
  for (;;) {
    const lastSeen = await awaited(context, given).catch((thrown: unknown) => {
      if (thrown instanceof Transient) return thrown.message;
      throw thrown;
    });
    if (lastSeen === undefined) return;
    if (Date.parse(context.now()) - Date.parse(since) > patience)
      throw new Transient('CERT-004', `${component.name} on ${machine.name} is not well again: ${lastSeen}`, {
        machine: machine.name,
      });
    const what = `${component.name} on ${machine.name} to be well again`;
    context.waiting({ what, lastSeen, since, usually: seconds(15) });
    await context.sleep(seconds(1));
  }
}

/**
 * Ends a component's process, which the kubelet starts anew; looks just before whether the cluster can be without it.
 * The manifest stays where it is: one that is moved away and back, as kubeadm's manual has it, leaves a dead master
 * behind when somebody is killed in between
 * (https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#manual-certificate-renewal).
 * @throws Blocked when the others would not keep quorum, or no other API server answers
 */
export async function restart(context: StepContext, given: Restart): Promise<void> {
  const { machine, component } = given;
  if (component.name === 'etcd') await prepareEtcd(context, given);
  if (component.name === 'kube-apiserver') await prepareApiServer(context, given);
  context.log(`restarting ${component.name}, which runs with old certificates`, machine.name);
  await context.host.restartComponent(machine, component);
}
