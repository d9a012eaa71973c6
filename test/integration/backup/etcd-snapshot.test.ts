import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawClusterKeys } from '../../../appliance/agent/pki.ts';
import { MachinePool } from '../../../appliance/agent/ssh/pool.ts';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { issue } from '../../fleet/etcd-processes.ts';
import { fakeDatabase } from './database.ts';
import { directAdapter, EtcdCluster, tunnelledAdapter } from './etcd-cluster.ts';
import { type Sshd, startSshd } from './sshd.ts';

/** Third bytes of loopback addresses that no other test has. */
let block = 150;
let folder: string;
let cluster: EtcdCluster | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-snapshot-'));
});
afterEach(async () => {
  await cluster?.processes.stop();
  cluster = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(names: readonly string[]): Promise<EtcdCluster> {
  block += 1;
  cluster = await EtcdCluster.start(names, block);
  return cluster;
}

async function contentOf({ data }: EtcdSnapshot): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of data) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a snapshot of real etcd (complaint 8)', () => {
  it('taken under writes through every member and restored by etcd itself, has every write acknowledged before it', async () => {
    const etcd = await start(['m1', 'm2', 'm3']);
    const acknowledged: string[] = [];
    const over = new AbortController();
    const write = async (machine: MachineRef): Promise<void> => {
      for (let count = 0; !over.signal.aborted; count += 1) {
        const key = `write/${machine.name}/${count}`;
        await etcd.put(machine, key, key.repeat(30));
        acknowledged.push(key);
      }
    };
    const writers = etcd.machines.map(write);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(300);
    const before = [...acknowledged];
    const snapshot = await etcd.adapter().snapshot(etcd.access);
    const content = await contentOf(snapshot);
    over.abort();
    await Promise.all(writers);
    expect(acknowledged.length).toBeGreaterThan(before.length);
    expect(snapshot).toMatchObject({ etcdVersion: '3.4.23', bytes: content.length });
    expect(snapshot.revision).toBeGreaterThan(before.length);

    const file = join(folder, 'snapshot.db');
    writeFileSync(file, content);
    const restored = await etcd.processes.place('r1');
    etcd.processes.restore('r1', file);
    etcd.processes.start('r1', 'existing', { r1: etcd.processes.peerURL('r1') });
    await etcd.settled(1, { masters: [restored], apiPort: 6443 });
    const found = await etcd.keysAt(restored, 'write/');
    expect(before.filter((key) => found.get(key) !== key.repeat(30))).toEqual([]);
    const { header } = (await etcd.call(restored, '/v3/kv/range', { key: 'YQ==' })) as {
      readonly header: { readonly revision: string };
    };
    expect(Number(header.revision)).toBeGreaterThanOrEqual(snapshot.revision);
  });

  it('comes from a follower that is well, and never from one that is dead', async () => {
    const etcd = await start(['m1', 'm2', 'm3']);
    const members = await etcd.adapter().members(etcd.access);
    const leader = members.find((member) => member.leader)?.name ?? '';
    const [dead = '', alive] = ['m1', 'm2', 'm3'].filter((name) => name !== leader);
    await etcd.processes.kill(dead);
    const snapshot = await etcd.adapter().snapshot(etcd.access);
    expect(snapshot.member).toBe(alive);
    await contentOf(snapshot);
  });

  it('cannot be had without a majority: nobody can say what is acknowledged', async () => {
    const etcd = await start(['m1', 'm2', 'm3']);
    await etcd.processes.kill('m1');
    await etcd.processes.kill('m2');
    await expect(etcd.adapter().snapshot(etcd.access)).rejects.toMatchObject({
      report: { kind: 'transient' },
    });
  });

  it('ends with an error when its member is killed in the middle', async () => {
    const etcd = await start(['m1']);
    const [machine] = etcd.machines as [MachineRef];
    for (let count = 0; count < 24; count += 1)
      await etcd.put(machine, `big/${count}`, 'x'.repeat(1_000_000));
    const snapshot = await etcd.adapter().snapshot(etcd.access);
    const read = async (): Promise<void> => {
      let size = 0;
      for await (const { length } of snapshot.data) {
        if (size === 0) await etcd.processes.kill('m1');
        size += length;
      }
    };
    expect(snapshot.bytes).toBeGreaterThan(20_000_000);
    await expect(read()).rejects.toMatchObject({ report: { kind: 'transient' } });
  });

  it('ends when the work is cancelled', async () => {
    const etcd = await start(['m1']);
    const [machine] = etcd.machines as [MachineRef];
    for (let count = 0; count < 24; count += 1)
      await etcd.put(machine, `big/${count}`, 'x'.repeat(1_000_000));
    const stop = new AbortController();
    const snapshot = await etcd.adapter(stop.signal).snapshot(etcd.access);
    const read = async (): Promise<void> => {
      for await (const piece of snapshot.data) if (piece.length > 0) stop.abort(new Error('cancelled'));
    };
    await expect(read()).rejects.toThrow('cancelled');
  });
});

describe('a snapshot through a real SSH tunnel', () => {
  let sshd: Sshd;
  let pool: MachinePool;
  beforeEach(async () => {
    sshd = await startSshd();
    pool = new MachinePool();
  });
  afterEach(async () => {
    await pool.stop();
    await sshd[Symbol.asyncDispose]();
  });

  /** One member with 24 MB, seen through the tunnel. */
  async function begun(): Promise<EtcdSnapshot> {
    const etcd = await start(['m1']);
    const [machine] = etcd.machines as [MachineRef];
    for (let count = 0; count < 24; count += 1)
      await etcd.put(machine, `big/${count}`, randomBytes(500_000).toString('hex'));
    const { host, port, user, hostKeys } = sshd.server;
    const door = { name: 'door', address: host, port, user, hostKeys };
    return tunnelledAdapter(etcd.keys, door, sshd.privateKey, pool).snapshot(etcd.access);
  }

  it('arrives whole, also when it is read slowly', async () => {
    const snapshot = await begun();
    const pieces: Uint8Array[] = [];
    for await (const piece of snapshot.data) {
      pieces.push(piece);
      if (pieces.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(Buffer.concat(pieces)).toHaveLength(snapshot.bytes);
    expect(snapshot.bytes).toBeGreaterThan(24_000_000);
  });

  it('ends with an error when the line is cut in the middle', async () => {
    const snapshot = await begun();
    const read = async (): Promise<void> => {
      let pieces = 0;
      for await (const { length } of snapshot.data) {
        pieces += length > 0 ? 1 : 0;
        if (pieces === 10) await pool.stop();
      }
    };
    await expect(read()).rejects.toMatchObject({ report: { kind: 'transient' } });
  });
});

describe('what a gateway may send instead (fake gateway)', () => {
  const database = fakeDatabase(200);
  const lineOf = (blob: Buffer, remaining: number): string =>
    `${JSON.stringify({ result: { blob: blob.toString('base64'), remaining_bytes: `${remaining}` } })}\n`;
  /** As etcd sends it: the database in pieces, then its digest. */
  const linesOf = (content: Buffer): string[] => {
    const body = content.subarray(0, -32);
    const lines: string[] = [];
    for (let at = 0; at < body.length; at += 32_768)
      lines.push(lineOf(body.subarray(at, at + 32_768), Math.max(0, body.length - at - 32_768)));
    return [...lines, lineOf(content.subarray(-32), 0)];
  };
  const flipped = (at: number): Buffer => {
    const content = Buffer.from(database);
    content.writeUInt8(content.readUInt8(at) ^ 1, at);
    return content;
  };
  /** Right in itself, but no database. */
  const foreign = (): Buffer => {
    const body = Buffer.alloc(512 * 8, 7);
    return Buffer.concat([body, createHash('sha256').update(body).digest()]);
  };

  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  });

  /** What the adapter makes of a gateway that answers the snapshot like this. */
  async function taken(answer: string, isCut = false): Promise<Buffer> {
    const keys = await drawClusterKeys('gateway');
    const { certificate, key } = await issue(keys.etcd, 'm1', '127.0.0.1');
    const answers: Readonly<Record<string, object>> = {
      '/v3/cluster/member/list': {
        members: [{ ID: '1', name: 'm1', clientURLs: ['https://127.0.0.1:2379'] }],
      },
      '/v3/maintenance/status': { version: '3.4.23', leader: '1', header: { member_id: '1' } },
      '/health': { health: 'true' },
      '/v3/kv/range': { header: { revision: '7' } },
    };
    server = createServer({ cert: certificate, key }, (request, response) => {
      const known = answers[request.url ?? ''];
      if (known !== undefined) response.end(JSON.stringify(known));
      else if (isCut) response.write(answer, () => response.destroy());
      else response.end(answer);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const machine = { name: 'm1', address: '127.0.0.1', port: 22, user: 'root', hostKeys: [] };
    const adapter = directAdapter(keys, undefined, () => port);
    return contentOf(await adapter.snapshot({ masters: [machine], apiPort: 6443 }));
  }

  it('takes it as etcd sends it, byte for byte', async () => {
    expect((await taken(linesOf(database).join(''))).equals(database)).toBe(true);
  });

  const whole = linesOf(database);
  it.each([
    ['it ends too early, in good order', whole.slice(0, 2).join('')],
    ['the checksum is missing', whole.slice(0, -1).join('')],
    ['one bit of the database is another', linesOf(flipped(40_000)).join('')],
    ['one bit of the checksum is another', linesOf(flipped(database.length - 1)).join('')],
    ['it goes on after its end', `${whole.join('')}${lineOf(Buffer.alloc(512), 0)}`],
    ['it is no database', linesOf(foreign()).join('')],
    [
      'the member breaks off',
      `${whole[0] ?? ''}{"error":{"grpc_code":14,"message":"etcdserver: stopped"}}\n`,
    ],
  ])('refuses it when %s', async (_how, answer) => {
    await expect(taken(answer)).rejects.toMatchObject({
      report: { kind: 'transient', code: 'ETCD-105' },
    });
  });

  it.each([
    ['something else', '<html>\n'],
    ['one endless line', 'x'.repeat(5_000_000)],
    ['empty', ''],
  ])('asks the next master when it begins as %s, and says so when there is none', async (_how, answer) => {
    await expect(taken(answer)).rejects.toMatchObject({
      report: { kind: 'transient', code: 'ETCD-103', summary: expect.stringContaining('on m1 is of no use') },
    });
  });

  it('refuses it when the connection is cut in the middle', async () => {
    await expect(taken(whole.slice(0, 2).join(''), true)).rejects.toMatchObject({
      report: { kind: 'transient', code: 'TLS-001' },
    });
  });
});
