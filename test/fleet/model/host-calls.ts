import ssh2 from 'ssh2';
import type { DiskLatency, Reach } from '../../../provisioners/contract/preflight.ts';
import type { HostSettings } from '../../../provisioners/contract/ports/host.ts';
import { ownHostKeyPath } from '../../../provisioners/contract/ports/host.ts';
import { Blocked, UserProblem } from '../../../provisioners/contract/problem.ts';
import { changing, connect, connectToChange, reading, type OnMachine } from './call.ts';
import { certificatesOn } from './certificates.ts';
import { hostKey, isUp, type ModelMachine } from './machine.ts';
import { differences, factsOf, holderOf } from './host-facts.ts';

interface Grant {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly locksOut: boolean;
}

/** A real key, or one of the model's: `model X private` is the private half of `model X`. */
function publicHalfOf(privateKey: string): string {
  const real = ssh2.utils.parseKey(privateKey);
  if (!(real instanceof Error)) return `${real.type} ${real.getPublicSSH().toString('base64')}`;
  return `ssh-ed25519 ${Buffer.from(privateKey.replace(/ private$/, '')).toString('base64')}`;
}

/** Whether a key is among those that may log in, whatever is remarked behind them. */
const isAuthorized = ({ authorizedKeys }: ModelMachine, publicKey: string): boolean =>
  [...authorizedKeys].some((line) => line.split(' ').slice(0, 2).join(' ') === publicKey);

/** HostPort's primitives. */
export const hostCalls = {
  'host.reach': reading(20, (fleet, { machine }: OnMachine) => {
    connect(fleet, machine);
    return null;
  }),
  'host.facts': reading(100, (fleet, { machine }: OnMachine) => factsOf(fleet, connect(fleet, machine))),
  'host.probe': reading(
    200,
    (fleet, given: OnMachine & { readonly addresses: readonly string[] }): Reach[] => {
      const from = connect(fleet, given.machine);
      return given.addresses.map((to) => {
        const target = fleet.byAddress.get(to);
        const isNeighbour =
          target !== undefined &&
          isUp(target, fleet.now) &&
          fleet.clusterOf(target) === fleet.clusterOf(from);
        const isReachable = isNeighbour || holderOf(fleet, fleet.clusterOf(from), to) !== undefined;
        return { to, reachable: isReachable, mtu: isReachable ? 1500 : 0 };
      });
    },
  ),
  'host.measureDisk': reading(2000, (fleet, given: OnMachine & { readonly path: string }): DiskLatency => {
    const machine = connect(fleet, given.machine);
    return { fsyncP99: 2 * machine.slowness, samples: 100 };
  }),
  'host.generateHostKey': changing(150, (fleet, given: OnMachine, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    fleet.needSpace(machine);
    machine.ownHostKey ??= hostKey(`own ${machine.name} ${machine.incarnation}`);
    machine.files.set(`${ownHostKeyPath}.pub`, { content: `${machine.ownHostKey} remuda\n`, mode: 0o644 });
    fleet.changed('host.generateHostKey', machine.name, by);
    return machine.ownHostKey;
  }),
  'host.replaceHostKey': changing(200, (fleet, given: OnMachine & { readonly publicKey: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (machine.ownHostKey !== given.publicKey)
      throw new UserProblem('HOST-003', `${machine.name} has no such host key`, {
        remedy: 'Generate the key first.',
      });
    machine.shownHostKey = given.publicKey;
    fleet.changed('host.replaceHostKey', machine.name, by);
    return null;
  }),
  'host.hostKeyAt': reading(
    20,
    (fleet, given: { readonly address: string }): string =>
      fleet.reach({ name: given.address, address: given.address }).shownHostKey,
  ),
  'host.admits': reading(20, (fleet, given: OnMachine & { readonly publicKey: string }): boolean =>
    connect(fleet, given.machine).authorizedKeys.has(given.publicKey),
  ),
  'host.admit': changing(60, (fleet, given: OnMachine & { readonly grant: Grant }, by) => {
    const machine = connect(fleet, given.machine);
    const { privateKey, publicKey, locksOut } = given.grant;
    if (!isAuthorized(machine, publicHalfOf(privateKey)))
      throw new Blocked('SSH-003', `${machine.name} does not let that key log in.`, {
        machine: machine.name,
        remedy: 'Give another key.',
      });
    if (locksOut) machine.authorizedKeys.clear();
    machine.authorizedKeys.add(publicKey);
    machine.epoch = by.epoch;
    fleet.changed('host.admit', machine.name, by);
    return null;
  }),
  'host.configure': changing(
    300,
    (fleet, given: OnMachine & { readonly settings: HostSettings }, by): string[] => {
      const machine = connectToChange(fleet, given.machine, by);
      fleet.needSpace(machine);
      const changes = differences(machine, given.settings);
      machine.hostname = given.settings.hostname;
      machine.modules = [...new Set([...machine.modules, ...given.settings.modules])].sort();
      machine.sysctls = { ...machine.sysctls, ...given.settings.sysctls };
      machine.hosts = { ...given.settings.hosts };
      fleet.changed('host.configure', machine.name, by);
      return changes;
    },
  ),
  'host.inspect': reading(80, (fleet, given: OnMachine & { readonly settings: HostSettings }): string[] =>
    differences(connect(fleet, given.machine), given.settings),
  ),
  'host.certificates': reading(
    80,
    (fleet, { machine, authorities }: OnMachine & { readonly authorities?: readonly string[] }) =>
      certificatesOn(connect(fleet, machine), authorities),
  ),
};
