import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from './command.ts';
import { withLock } from './lock.ts';
import { runFolder, type LabPlaces } from './places.ts';
import { createExclusively, readRecord } from './record.ts';
import { overlap, parseSubnet, type Subnet } from './subnet.ts';

/** Who has taken a subnet on this box: enough to find the owner, or to see that there is none any more. */
const claimSchema = z.strictObject({ id: z.string(), folder: z.string(), subnet: z.string() });
export type Claim = z.infer<typeof claimSchema>;

const claimFile = (subnet: string): string => join(runFolder, `${subnet.replace('/', '-')}.claim`);

/** Serialises what all labs of the box share: choosing subnets, the folders above the labs' control groups. */
export const withBoxLock = <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> =>
  withLock(join(runFolder, 'box.lock'), signal, work);

/** All claims on this box, whichever state folder the labs live in. */
export async function listClaims(): Promise<Claim[]> {
  const names = await readdir(runFolder).catch(() => []);
  const claims = await Promise.all(
    names
      .filter((name) => name.endsWith('.claim'))
      .map((name) => readRecord(join(runFolder, name), claimSchema)),
  );
  return claims.filter((claim) => claim !== undefined);
}

/** Claims a subnet for a lab. @returns the other lab's claim when it is taken. */
export async function claimSubnet(lab: LabPlaces, subnet: string): Promise<Claim | undefined> {
  const claim: Claim = { id: lab.id, folder: lab.folder, subnet };
  if (await createExclusively(claimFile(subnet), JSON.stringify(claim))) return undefined;
  const owner = await readRecord(claimFile(subnet), claimSchema);
  return owner?.id === lab.id ? undefined : owner;
}

/** Gives a subnet back. Only the owner's claim is removed. */
export async function releaseSubnet(id: string, subnet: string): Promise<void> {
  const owner = await readRecord(claimFile(subnet), claimSchema);
  if (owner?.id === id) await rm(claimFile(subnet), { force: true });
}

const routeSchema = z.array(z.object({ dst: z.string(), type: z.string().optional() }));
/** Types of routes that lead nowhere (ip-route(8)): nobody is there, and a lab's own, narrower route goes before them. */
const deadEnds = new Set(['unreachable', 'blackhole', 'prohibit', 'throw']);
/** Destinations that somebody can be met at, from what `ip -json route` printed. */
export const routedNetworks = (printed: string): readonly string[] =>
  routeSchema
    .parse(JSON.parse(printed))
    .filter(({ type = 'unicast' }) => !deadEnds.has(type))
    .map(({ dst }) => dst);

const addressSchema = z.array(
  z.object({ addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.int() })) }),
);

/** Every IPv4 network that this box has a route or an address in, by its real routing tables, and every lab's claim. */
export async function takenSubnets(exceptLab: LabPlaces): Promise<Subnet[]> {
  const own = (await listClaims()).filter((claim) => claim.id === exceptLab.id).map((claim) => claim.subnet);
  const routes = routedNetworks(await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all']));
  const links = addressSchema.parse(JSON.parse(await run('ip', ['-json', '-4', 'address'])));
  const addresses = links.flatMap((link) => link.addr_info).map((info) => `${info.local}/${info.prefixlen}`);
  const claims = (await listClaims()).map((claim) => claim.subnet);
  const networks = [...routes, ...addresses, ...claims]
    .filter((text) => /^[0-9]/.test(text))
    .map(parseSubnet);
  const mine = own.map(parseSubnet);
  return networks.filter((network) => !mine.some((subnet) => isWithin(network, subnet)));
}

const isWithin = (inner: Subnet, outer: Subnet): boolean =>
  inner.prefix >= outer.prefix && overlap(inner, outer);
