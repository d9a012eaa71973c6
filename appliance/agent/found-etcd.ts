import type { FoundEtcd, VisitedMachine } from '../../provisioners/contract/found.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { EtcdMember } from '../../provisioners/contract/observed.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { endpointsApart } from '../../provisioners/kubernetes/etcd-endpoints.ts';
import { paths } from '../../provisioners/kubernetes/paths.ts';
import type { HostKeys } from './host-keys.ts';
import { type Login, visitMachine } from './visits.ts';

/** How machines of etcd are visited. */
interface Visiting {
  readonly login: Login;
  readonly hostKeys: HostKeys;
}

/** The client URLs of etcd that a master's API server is given; undefined where it asks the member beside it. */
const givenTo = async ({ file }: Ports, master: MachineRef): Promise<readonly string[] | undefined> =>
  endpointsApart((await file.read(master, paths.apiServerManifest)) ?? '');

/** Names by address, of machines that the provider knows; one that it does not know is called by its address. */
async function namesOf({ provider }: Ports, addresses: readonly string[]): Promise<Map<string, string>> {
  const found = (await provider.ownership?.find(addresses)) ?? [];
  return new Map(found.flatMap(({ name, address }) => (address === undefined ? [] : [[address, name]])));
}

/**
 * The machines of etcd that a master's API server is given, visited: they are the way to all others. Undefined where that
 * master has a member of its own.
 */
export async function findDoors(
  ports: Ports,
  master: MachineRef,
  { login, hostKeys }: Visiting,
): Promise<readonly VisitedMachine[] | undefined> {
  const urls = await givenTo(ports, master);
  if (urls === undefined) return undefined;
  const addresses = [...new Set(urls.map((url) => new URL(url).hostname))];
  const names = await namesOf(ports, addresses);
  return Promise.all(
    addresses.map((address) =>
      visitMachine(ports, { name: names.get(address) ?? address, address }, login, hostKeys),
    ),
  );
}

/** Where a member listens for the others; undefined where it says nothing that could be read. */
function addressOf({ peerURLs: [url] }: EtcdMember): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : new URL(url).hostname;
}

async function visitMember(
  ports: Ports,
  member: EtcdMember,
  doors: readonly VisitedMachine[],
  { login, hostKeys }: Visiting,
): Promise<VisitedMachine> {
  const address = addressOf(member);
  if (address === undefined) return { name: member.name || member.id, why: 'its member names no address' };
  const door = doors.find((one) => one.address === address);
  // A member that never started says no name: then it is called as the provider calls its machine.
  const name = member.name || (await namesOf(ports, [address])).get(address) || address;
  if (door?.reference !== undefined) return { ...door, name, reference: { ...door.reference, name } };
  return visitMachine(ports, { name, address }, login, hostKeys);
}

/**
 * Every member of an etcd that stands apart, as etcd itself lists them, and what each master's API server is given. Where
 * none of the doors lets us in, the doors are all that is known.
 * @throws Transient when none of its machines that let us in answers for etcd
 */
export async function findEtcd(
  ports: Ports,
  access: ControlPlaneAccess,
  doors: readonly VisitedMachine[] | undefined,
  visiting: Visiting,
): Promise<FoundEtcd> {
  if (doors === undefined) return { topology: 'stacked' };
  const given = await Promise.all(
    access.masters.map(async (master) => [master.name, (await givenTo(ports, master)) ?? []] as const),
  );
  const etcd = doors.flatMap(({ reference }) => reference ?? []);
  const found = { topology: 'external', given: Object.fromEntries(given) } as const;
  if (etcd.length === 0) return { ...found, members: doors };
  const members = await ports.etcd.members({ ...access, etcd });
  return {
    ...found,
    members: await Promise.all(members.map((member) => visitMember(ports, member, doors, visiting))),
  };
}
