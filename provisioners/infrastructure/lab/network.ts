import { existsSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { run, succeeds, waitUntil } from './command.ts';
import { loadBridgeFilter } from './kernel-modules.ts';
import type { LabPlaces } from './places.ts';
import type { LabRecord } from './record.ts';
import { parseSubnet } from './subnet.ts';

/** Worse than any route through a card, so that it counts only while the box has no card in the subnet. */
const lastResort = '4096';
/** Marks our routes in the box's table (`ip route` shows "proto 82"); not in iproute2's rt_protos. */
const routeProtocol = '82';
const boxEnd = 'box';

/** Label of a network card or mount of ours: which lab (its folder) and what of it. */
export const aliasOf = (lab: LabPlaces, name: string): string => `remuda-lab:${lab.folder}:${name}`;

/** Folder of the lab that a label names; undefined when it is not a label of ours. */
const folderOfAlias = (alias: string): string | undefined =>
  /^remuda-lab:(.+):[^:]+$/.exec(alias.trim())?.[1];

const inBridge = (lab: LabPlaces, args: readonly string[]): Promise<string> =>
  run('nsenter', [`--net=${lab.bridge}`, 'ip', ...args]);

/** Whether the file holds a network namespace (and is not merely there). */
async function isNamespace(file: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === file && line.includes(' - nsfs '));
}

const routeOf = (subnet: string): string[] => ['unreachable', subnet, 'metric', lastResort];

const hasRoute = async (subnet: string): Promise<boolean> => (await listRoutes()).includes(subnet);

/** Whether the box has a network card of this name. */
export const hasCard = (card: string): boolean => existsSync(`/sys/class/net/${card}`);

/**
 * Makes the lab's network; may be repeated. The unreachable route comes first, so that at no moment a packet for
 * the subnet can leave by the box's default route.
 */
export async function makeNetwork(lab: LabPlaces, record: LabRecord): Promise<void> {
  await loadBridgeFilter();
  if (!(await hasRoute(record.subnet)))
    await run('ip', ['-4', 'route', 'add', ...routeOf(record.subnet), 'proto', routeProtocol]);
  if (!(await isNamespace(lab.bridge))) {
    await writeFile(lab.bridge, '');
    await run('unshare', [`--net=${lab.bridge}`, 'true']);
  }
  if (!(await succeeds('nsenter', [`--net=${lab.bridge}`, 'ip', 'link', 'show', 'br0'])))
    await inBridge(lab, ['link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0']);
  await inBridge(lab, ['link', 'set', 'br0', 'up']);
  if (!hasCard(lab.card))
    await run('ip', ['link', 'add', lab.card, 'type', 'veth', 'peer', 'name', boxEnd, 'netns', lab.bridge]);
  await inBridge(lab, ['link', 'set', boxEnd, 'master', 'br0', 'up']);
  await configureCard(lab, record);
}

async function configureCard(lab: LabPlaces, record: LabRecord): Promise<void> {
  // Settings of our own card only. Even on a box that forwards, nothing that comes from the lab goes further.
  for (const path of ['ipv4/conf', 'ipv6/conf']) {
    const folder = `/proc/sys/net/${path}/${lab.card}`;
    if (existsSync(`${folder}/forwarding`)) await writeFile(`${folder}/forwarding`, '0');
    if (existsSync(`${folder}/disable_ipv6`)) await writeFile(`${folder}/disable_ipv6`, '1');
  }
  await run('ip', ['link', 'set', lab.card, 'alias', aliasOf(lab, 'box')]);
  const address = `${record.gateway}/${parseSubnet(record.subnet).prefix}`;
  await run('ip', ['address', 'replace', address, 'broadcast', '+', 'dev', lab.card]);
  await run('ip', ['link', 'set', lab.card, 'up']);
}

/** What of the network is not as it should be, one word each; empty = all there. Only reads. */
export async function missingOfNetwork(lab: LabPlaces, record: LabRecord): Promise<string[]> {
  const missing: string[] = [];
  if (!(await hasRoute(record.subnet))) missing.push('the unreachable route');
  if (!(await isNamespace(lab.bridge))) missing.push("the bridge's namespace");
  else if (!(await succeeds('nsenter', [`--net=${lab.bridge}`, 'ip', 'link', 'show', 'br0', 'up'])))
    missing.push('the bridge');
  const card = await run('ip', ['-4', '-oneline', 'address', 'show', 'dev', lab.card, 'up']).catch(() => '');
  if (!card.includes(` ${record.gateway}/`)) missing.push(`the box's card ${lab.card}`);
  return missing;
}

/**
 * Removes a lab's network; missing counts as done. The unreachable routes go last, when nothing in the subnet is left
 * to be reached.
 */
export async function removeNetwork(
  card: string,
  bridge: string | undefined,
  subnets: readonly string[],
): Promise<void> {
  if (hasCard(card)) await run('ip', ['link', 'del', card]).catch(() => undefined);
  await waitUntil(`the removal of ${card}`, () => !hasCard(card), { limit: 10_000 });
  if (bridge !== undefined) await removeBridge(bridge);
  for (const subnet of subnets)
    if (await hasRoute(subnet)) await run('ip', ['-4', 'route', 'del', ...routeOf(subnet)]);
}

async function removeBridge(file: string): Promise<void> {
  // A crash between two makers may have mounted twice.
  while (await isNamespace(file)) await run('umount', [file]);
  await rm(file, { force: true });
}

/** Pulls or plugs the cable of a machine at the bridge's end: the machine sees its carrier go and come. */
export const setCable = (lab: LabPlaces, port: string, state: 'in' | 'out'): Promise<string> =>
  inBridge(lab, ['link', 'set', port, state === 'in' ? 'up' : 'down']);

/** Removes a machine's port from the bridge; missing counts as done. */
export async function removePort(lab: LabPlaces, port: string): Promise<void> {
  if (await isNamespace(lab.bridge)) await inBridge(lab, ['link', 'del', port]).catch(() => undefined);
}

/** Subnets for which the box has an unreachable route of ours, whichever lab made it. */
export async function listRoutes(): Promise<string[]> {
  const shown = await run('ip', ['-4', 'route', 'show', 'type', 'unreachable', 'proto', routeProtocol]);
  return shown.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
}

/** Network cards of labs on the box: name, and the folder of the lab when it is labelled yet. */
export async function listCards(): Promise<{ card: string; folder?: string }[]> {
  const names = (await readdir('/sys/class/net')).filter((name) => /^rmd[0-9a-f]{8}$/.test(name));
  return Promise.all(
    names.map(async (card) => {
      const folder = folderOfAlias(await readFile(`/sys/class/net/${card}/ifalias`, 'utf8').catch(() => ''));
      return folder === undefined ? { card } : { card, folder };
    }),
  );
}
