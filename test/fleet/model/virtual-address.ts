import type { ModelCluster } from './cluster.ts';
import { isServing, type ModelMachine } from './machine.ts';

const textOf = (machine: ModelMachine, path: string): string => machine.files.get(path)?.content ?? '';

/** The virtual address that a machine's keepalived is set up for, if it runs. */
export function virtualAddressOf(machine: ModelMachine, now: number): string | undefined {
  if (!isServing(machine, 'keepalived', now)) return undefined;
  return /virtual_ipaddress \{\s*([0-9.]+)/.exec(textOf(machine, '/etc/keepalived/keepalived.conf'))?.[1];
}

/** Addresses that a machine's keepalived sends its adverts to. */
const peersOf = (machine: ModelMachine): readonly string[] =>
  /unicast_peer \{([^}]*)\}/
    .exec(textOf(machine, '/etc/keepalived/keepalived.conf'))?.[1]
    ?.split(/\s+/)
    .filter((peer) => peer !== '') ?? [];

/** Whether its check lets it hold the address: its own API server is ready, or none is that its haproxy knows. */
function mayHold(cluster: ModelCluster, machine: ModelMachine, now: number): boolean {
  const ready = cluster.readyMasters(now);
  if (ready.includes(machine)) return true;
  const known = textOf(machine, '/etc/haproxy/haproxy.cfg');
  return !ready.some(({ address }) => known.includes(` ${address}:`));
}

/**
 * Two machines that would hold the virtual address side by side: both may, and one of them does not tell the other
 * (VRRP with unicast peers: RFC 9568, keepalived.conf(5)). While no API server is ready the address serves nothing.
 */
export function twoHolders(cluster: ModelCluster, now: number): readonly [string, string] | undefined {
  if (cluster.readyMasters(now).length === 0) return undefined;
  const able = [...cluster.machines.values()].filter(
    (machine) => virtualAddressOf(machine, now) !== undefined && mayHold(cluster, machine, now),
  );
  for (const one of able)
    for (const other of able)
      if (one !== other && !peersOf(one).includes(other.address)) return [one.name, other.name];
  return undefined;
}
