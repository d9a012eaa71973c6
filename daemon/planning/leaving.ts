import type { MachineRole } from '../../provisioners/contract/machine.ts';
import type { EtcdMember, Observed, ObservedNode, Retirement } from '../../provisioners/contract/observed.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { hasEtcdApart } from './etcd-machines.ts';
import type { LeavingMachine } from './leaving-machine.ts';

/** Its etcd member: by name, or by address while it has none. An address alone may be somebody else's by now. */
function memberOf(observed: Observed, name: string, address: string | undefined): EtcdMember | undefined {
  return observed.voters?.find(
    (member) =>
      member.name === name ||
      (member.name === '' &&
        address !== undefined &&
        member.peerURLs.some((url) => url.includes(`//${address}:`))),
  );
}

const isNamed = ({ reason }: Retirement): boolean => reason !== 'changed' && reason !== 'upgraded';

/** What a machine is, or was: one that is gone at the provider is told by what Kubernetes and etcd still know of it. */
function roleOf(
  {
    name,
    machine,
    node,
    member,
  }: {
    readonly name: string;
    readonly machine: ProviderMachine | undefined;
    readonly node: ObservedNode | undefined;
    readonly member: EtcdMember | undefined;
  },
  observed: Observed,
): MachineRole {
  if (machine?.role === 'etcd') return 'etcd';
  if (machine?.role === 'control-plane' || node?.controlPlane === true) return 'control-plane';
  const isOfEtcd = hasEtcdApart(observed) || /-etcd-\d+$/.test(name);
  if (member !== undefined) return isOfEtcd && node === undefined ? 'etcd' : 'control-plane';
  return machine?.role ?? 'worker';
}

function leavingMachine(observed: Observed, name: string, retirement: Retirement): LeavingMachine {
  const { mode, reason } = retirement;
  const machine = observed.machines?.find((one) => one.name === name);
  const node = observed.nodes?.find((one) => one.name === name);
  const reference = observed.references[name];
  const member = memberOf(observed, name, machine?.address ?? reference?.address);
  const role = roleOf({ name, machine, node, member }, observed);
  const isRunning = machine?.state === 'running';
  const isWell = role === 'etcd' ? member?.healthy === true : node?.ready === true;
  const isAnswering = isRunning && isWell;
  const hasMember = role === 'etcd' || (role === 'control-plane' && !hasEtcdApart(observed));
  const works = hasMember ? member?.healthy === true : node !== undefined;
  return {
    name,
    role,
    mode,
    reason,
    isFenced: observed.retired[name]?.isFenced === true,
    isAnswering,
    isDead: !isAnswering && (isNamed(retirement) || !isRunning || !works),
    ...(machine === undefined ? {} : { machine }),
    ...(node === undefined ? {} : { node }),
    ...(member === undefined ? {} : { member }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/**
 * Machines of which something is still to go: of one that is kept and fenced, the machine itself is no such thing.
 * The dead come first, because they do no work any more.
 */
export function leavingMachines(
  observed: Observed,
  retired: Readonly<Record<string, Retirement>>,
): LeavingMachine[] {
  const isOver = ({ mode, isFenced, machine, node, member }: LeavingMachine): boolean => {
    const isKept = isFenced && (mode === 'keep' || (mode === 'off' && machine?.state === 'off'));
    const isGone = machine === undefined || isKept;
    return isGone && node === undefined && member === undefined;
  };
  return Object.entries(retired)
    .map(([name, retirement]) => leavingMachine(observed, name, retirement))
    .filter((machine) => !isOver(machine))
    .toSorted((one, other) => {
      const byLife = Number(other.isDead) - Number(one.isDead);
      return byLife === 0 ? one.name.localeCompare(other.name, 'en', { numeric: true }) : byLife;
    });
}
