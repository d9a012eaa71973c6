import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { EtcdAdapter } from '../../../appliance/agent/adapters/etcd.ts';
import { ClientCertificates } from '../../../appliance/agent/client-certificates.ts';
import { Machines } from '../../../appliance/agent/machines.ts';
import { drawClusterKeys } from '../../../appliance/agent/pki.ts';
import { MachinePool } from '../../../appliance/agent/ssh/pool.ts';
import { callOver } from '../../../appliance/agent/tunnel.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { ClusterKeys } from '../../../provisioners/contract/secrets.ts';
import { EtcdProcesses } from '../../fleet/etcd-processes.ts';

/** Machines whose etcd is reached by a plain socket instead of through SSH. */
class DirectMachines extends Machines {
  readonly #portOf: (machine: MachineRef) => number;

  constructor(portOf: (machine: MachineRef) => number) {
    const { signal } = new AbortController();
    super({ pool: new MachinePool(), privateKey: async () => '', epoch: 1, signal: () => signal });
    this.#portOf = portOf;
  }

  override async forward(machine: MachineRef): Promise<Duplex> {
    return connect({ host: machine.address, port: this.#portOf(machine) });
  }
}

/** Machines that are all reached through one real SSH server, as a tunnel reaches etcd on its own machine. */
class TunnelledMachines extends Machines {
  readonly #door: MachineRef;

  constructor(door: MachineRef, privateKey: string, pool: MachinePool) {
    const { signal } = new AbortController();
    super({ pool, privateKey: async () => privateKey, epoch: 1, signal: () => signal });
    this.#door = door;
  }

  override forward(machine: MachineRef, _host: string, port: number): Promise<Duplex> {
    return super.forward(this.#door, machine.address, port);
  }
}

/** The real adapter, through a real SSH server. */
export function tunnelledAdapter(
  keys: ClusterKeys,
  door: MachineRef,
  privateKey: string,
  pool: MachinePool,
): EtcdAdapter {
  return new EtcdAdapter(
    new TunnelledMachines(door, privateKey, pool),
    new ClientCertificates(async () => keys),
    () => new AbortController().signal,
  );
}

/** The real adapter, over plain sockets to each machine's port. */
export function directAdapter(
  keys: ClusterKeys,
  signal = new AbortController().signal,
  portOf: (machine: MachineRef) => number = () => 2379,
): EtcdAdapter {
  return new EtcdAdapter(new DirectMachines(portOf), new ClientCertificates(async () => keys), () => signal);
}

/** A real etcd cluster on loopback, and a client of it. */
export class EtcdCluster {
  readonly keys: ClusterKeys;
  readonly processes: EtcdProcesses;
  readonly machines: MachineRef[] = [];

  private constructor(keys: ClusterKeys, block: number) {
    this.keys = keys;
    this.processes = new EtcdProcesses(keys.etcd, block);
  }

  /** Started members that are all well. `block` is one byte that no other test has. */
  static async start(names: readonly string[], block: number, keys?: ClusterKeys): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(keys ?? (await drawClusterKeys('backup-test')), block);
    const { processes, machines } = cluster;
    for (const name of names) machines.push(await processes.place(name));
    const initial = Object.fromEntries(names.map((name) => [name, processes.peerURL(name)]));
    for (const name of names) processes.start(name, 'new', initial);
    await cluster.settled(names.length);
    return cluster;
  }

  get access() {
    return { masters: this.machines, apiPort: 6443 };
  }

  adapter(signal?: AbortSignal): EtcdAdapter {
    return directAdapter(this.keys, signal);
  }

  /** Waits until so many members are well and one leads. */
  async settled(count: number, access = this.access): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const members = await this.adapter()
        .members(access)
        .catch(() => []);
      const isWell = members.length === count && members.every(({ healthy }) => healthy);
      if (isWell && members.some(({ leader }) => leader)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('etcd did not come up');
  }

  /** Returns when the write is acknowledged. */
  async put(through: MachineRef, key: string, value: string): Promise<void> {
    await this.call(through, '/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  /** Every key with this beginning, and its value. */
  async keysAt(through: MachineRef, beginning: string): Promise<Map<string, string>> {
    // The end of the range of a prefix: its last byte plus one (etcd: clientv3 WithPrefix).
    const end = `${beginning.slice(0, -1)}${String.fromCharCode(beginning.charCodeAt(beginning.length - 1) + 1)}`;
    const answer = (await this.call(through, '/v3/kv/range', {
      key: base64(beginning),
      range_end: base64(end),
    })) as { readonly kvs?: readonly { readonly key: string; readonly value: string }[] };
    return new Map((answer.kvs ?? []).map(({ key, value }) => [text(key), text(value)]));
  }

  async call(through: MachineRef, path: string, body: object): Promise<unknown> {
    const reply = await callOver(
      () => connect({ host: through.address, port: 2379 }),
      await new ClientCertificates(async () => this.keys).etcd(),
      { method: 'POST', path, body: JSON.stringify(body) },
      { patience: 15_000, signal: new AbortController().signal, what: 'etcd' },
    );
    if (reply.status !== 200) throw new Error(reply.text);
    return JSON.parse(reply.text);
  }
}

const base64 = (given: string): string => Buffer.from(given).toString('base64');
const text = (given: string): string => Buffer.from(given, 'base64').toString('utf8');
