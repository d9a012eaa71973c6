import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtcdAdapter } from '../../appliance/agent/adapters/etcd.ts';
import { createEtcdDataPort } from '../../appliance/agent/adapters/etcd-data.ts';
import { ClientCertificates } from '../../appliance/agent/client-certificates.ts';
import { Machines } from '../../appliance/agent/machines.ts';
import { drawClusterKeys } from '../../appliance/agent/pki.ts';
import { preamble, type Program } from '../../appliance/agent/ssh/program.ts';
import { MachinePool } from '../../appliance/agent/ssh/pool.ts';
import { callOver } from '../../appliance/agent/tunnel.ts';
import type { EtcdDataPort } from '../../provisioners/contract/etcd-data.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import { etcdDataSuite } from '../contract/etcd-data.ts';
import { etcdctlBinary, EtcdProcesses } from '../fleet/etcd-processes.ts';
import { everySet, quorumOf, slice } from '../fleet/member-sets.ts';

const { signal } = new AbortController();
const restore = '0000000000a1';

/** Machines whose etcd is reached by a plain socket, and whose programs run here: the part that SSH would play. */
class LocalMachines extends Machines {
  constructor() {
    super({ pool: new MachinePool(), privateKey: async () => '', epoch: 1, signal: () => signal });
  }

  override async forward(machine: MachineRef, host: string, port: number): Promise<Duplex> {
    return connect({ host: host === '127.0.0.1' ? machine.address : host, port });
  }

  override ask(_machine: MachineRef, _what: string, program: Program): Promise<string> {
    return runHere(program);
  }

  override make(_machine: MachineRef, _what: string, program: Program): Promise<string> {
    return runHere(program);
  }
}

/** Starts a program in a group of its own and ends all of it after so many milliseconds, as a power cut would. */
async function runCut(text: string, after: number): Promise<void> {
  const path = `PATH=${dirname(etcdctlBinary())}:$PATH\n`;
  const child = spawn('/bin/bash', ['-c', `${path}${text}`], { detached: true, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const timer = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, after);
  await ended;
  clearTimeout(timer);
}

function runHere({ text, variables, input }: Program): Promise<string> {
  const path = `PATH=${dirname(etcdctlBinary())}:$PATH\n`;
  const program = { text: `${path}${text}`, ...(variables === undefined ? {} : { variables }) };
  const child = spawn('/bin/bash', ['-c', 'IFS= read -r -d "" program; eval "$program"', 'test']);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  child.stdin.write(preamble(program));
  child.stdin.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(output).toString('utf8'))
        : reject(new Error(`exit ${code}: ${Buffer.concat(errors).toString('utf8')}`)),
    );
  });
}

let keys: ClusterKeys;
let etcd: EtcdProcesses;
let machines: MachineRef[];
let block = 60;

const port = (): EtcdAdapter =>
  new EtcdAdapter(new LocalMachines(), new ClientCertificates(async () => keys), () => signal);
const access = (of = machines) => ({ masters: of, apiPort: 6444 });

/** The real port, with a member's own folders in the place of a machine's. */
/** `cut`: after so many milliseconds its commands on the machine are ended. */
function dataOf(name: string, cut?: number): EtcdDataPort {
  const folder = etcd.folderOf(name);
  const run = async (text: string): Promise<void> => {
    if (cut === undefined) await runHere({ text });
    else await runCut(text, cut);
  };
  return createEtcdDataPort({
    machines: new LocalMachines(),
    units: { run: (_machine, { text }) => run(text) },
    components: async () => [{ name: 'etcd', running: etcd.isRunning(name), outdated: [] }],
    folders: { data: join(folder, 'data'), restores: join(folder, 'restore') },
  });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await isSo().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not come about');
}

async function call(machine: MachineRef, path: string, body: object): Promise<unknown> {
  const reply = await callOver(
    () => connect({ host: machine.address, port: 2379 }),
    await new ClientCertificates(async () => keys).etcd(),
    { method: 'POST', path, body: JSON.stringify(body) },
    { patience: 5000, signal, what: 'etcd' },
  );
  if (reply.status !== 200) throw new Error(reply.text);
  return JSON.parse(reply.text) as unknown;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Writes keys one by one; each counts when etcd has acknowledged it. */
async function put(machine: MachineRef, prefix: string, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1)
    await call(machine, '/v3/kv/put', { key: encode(`${prefix}${number}`), value: encode('v') });
}

async function keysAt(machine: MachineRef): Promise<string[]> {
  const range = { key: encode('\0'), range_end: encode('\0') };
  const answer = (await call(machine, '/v3/kv/range', range)) as { kvs?: { key: string }[] };
  return (answer.kvs ?? []).map(({ key }) => Buffer.from(key, 'base64').toString('utf8')).sort();
}

async function revisionAt(machine: MachineRef): Promise<number> {
  const answer = (await call(machine, '/v3/maintenance/status', {})) as { header: { revision: string } };
  return Number(answer.header.revision);
}

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}${number}`);

async function start(count: number): Promise<void> {
  const names = numbered('m', count);
  machines = [];
  for (const name of names) machines.push(await etcd.place(name));
  const initial = Object.fromEntries(names.map((name) => [name, etcd.peerURL(name)]));
  for (const name of names) etcd.start(name, 'new', initial);
  await until(async () => {
    const members = await port().members(access());
    return members.length === names.length && members.every(({ healthy }) => healthy);
  });
}

interface Taken {
  readonly content: Buffer;
  readonly sha256: string;
  readonly revision: number;
}

async function takeSnapshot(): Promise<Taken> {
  const { data, revision } = await port().snapshot(access());
  const pieces: Uint8Array[] = [];
  for await (const piece of data) pieces.push(piece);
  const content = Buffer.concat(pieces);
  return { content, sha256: createHash('sha256').update(content).digest('hex'), revision };
}

async function* inPieces(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 5000) yield content.subarray(at, at + 5000);
}

const machineOf = (name: string): MachineRef => {
  const found = machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

const memberOf = (name: string) => ({ name, peerURL: etcd.peerURL(name) });

/** The new cluster of this one member answers as healthy, and knows nobody else. */
async function startRestored(name: string): Promise<MachineRef> {
  const machine = machineOf(name);
  etcd.restart(name);
  await until(async () => (await port().members(access([machine]))).every(({ healthy }) => healthy));
  expect((await port().members(access([machine]))).map((member) => member.name)).toEqual([name]);
  return machine;
}

/** Every loss that leaves no quorum, of 1, 3, 5 and 7 members. */
const lostMajorities = everySet.filter(({ count, lost }) => count - lost.length < quorumOf(count));

etcdDataSuite('real etcd on loopback', async () => {
  keys = await drawClusterKeys('etcd-test');
  block += 1;
  const own = new EtcdProcesses(keys.etcd, block);
  etcd = own;
  await start(1);
  const machine = machineOf('m0');
  await put(machine, 'kept-', 3);
  const data = dataOf('m0');
  const everyone = access();
  const adapter = port();
  return {
    data: () => data,
    machine,
    snapshot: () => adapter.snapshot(everyone),
    stopEtcd: () => own.end('m0'),
    stop: () => own.stop(),
  };
});

describe('restore against real etcd processes (complaint 8)', () => {
  beforeEach(async () => {
    keys = await drawClusterKeys('etcd-test');
    block += 1;
    etcd = new EtcdProcesses(keys.etcd, block);
  });

  afterEach(() => etcd.stop());

  it.each(slice(lostMajorities, 1))(
    '$count members, $lost lost: from a backup, and from who is left',
    async ({ count, lost }) => {
      await start(count);
      await put(machines[0] as MachineRef, 'before-', 20);
      const taken = await takeSnapshot();
      await put(machines[0] as MachineRef, 'after-', 5);
      const survivor = machines.map(({ name }) => name).find((name) => !lost.includes(name));
      await Promise.all(lost.map((name) => etcd.kill(name)));
      if (survivor !== undefined) {
        // What it can say of itself without a quorum is what the plan states.
        const stated = await revisionAt(machineOf(survivor));
        await etcd.end(survivor);
        const data = dataOf(survivor);
        await data.setAside(machineOf(survivor), restore);
        await data.restore(machineOf(survivor), restore, { source: 'aside', ...memberOf(survivor) });
        const { restored } = await data.look(machineOf(survivor), restore);
        expect(restored?.revision).toBe(stated);
        const machine = await startRestored(survivor);
        const found = await keysAt(machine);
        for (const key of numbered('before-', 20)) expect(found).toContain(key);
        expect(await revisionAt(machine)).toBeGreaterThanOrEqual(stated);
        await etcd.end(survivor);
      }
      // The same again from the backup, on whoever is left, or on a machine that never was a member.
      if (survivor === undefined) machines.push(await etcd.place('new'));
      const target = survivor ?? 'new';
      const data = dataOf(target);
      const again = '0000000000a2';
      await data.place(machineOf(target), again, { sha256: taken.sha256, data: inPieces(taken.content) });
      expect((await data.status(machineOf(target), again)).revision).toBeGreaterThanOrEqual(taken.revision);
      await data.setAside(machineOf(target), again);
      await data.restore(machineOf(target), again, { source: 'snapshot', ...memberOf(target) });
      const found = await keysAt(await startRestored(target));
      expect(found.filter((key) => key.startsWith('before-'))).toEqual(numbered('before-', 20).sort());
      expect(found.filter((key) => key.startsWith('after-'))).toEqual([]);
    },
  );

  it('refuses old members: they have another cluster, and never become part of the new one (old token)', async () => {
    await start(3);
    await put(machines[0] as MachineRef, 'before-', 3);
    const taken = await takeSnapshot();
    await etcd.kill('m2');
    await Promise.all(['m0', 'm1'].map((name) => etcd.end(name)));
    const data = dataOf('m0');
    await data.place(machineOf('m0'), restore, { sha256: taken.sha256, data: inPieces(taken.content) });
    await data.setAside(machineOf('m0'), restore);
    await data.restore(machineOf('m0'), restore, { source: 'snapshot', ...memberOf('m0') });
    const restored = await startRestored('m0');
    // A zombie with its old data, which still names the address of the new member as its fellow.
    etcd.restart('m2');
    await until(async () => etcd.logOf('m2').includes('cluster ID mismatch'));
    await put(restored, 'new-', 3);
    expect((await port().members(access([restored]))).map(({ name }) => name)).toEqual(['m0']);
    await expect(port().members(access([machineOf('m2')]))).rejects.toThrow('does not answer');
    // One that comes empty joins.
    await etcd.kill('m2');
    await dataOf('m1').setAside(machineOf('m1'), restore);
    await until(async () => {
      await call(restored, '/v3/cluster/member/add', { peerURLs: [etcd.peerURL('m1')] });
      return true;
    });
    etcd.start('m1', 'existing', { m0: etcd.peerURL('m0'), m1: etcd.peerURL('m1') });
    const both = access(machines.slice(0, 2));
    await until(async () => (await port().members(both)).filter(({ healthy }) => healthy).length === 2);
    expect(await keysAt(machineOf('m1'))).toEqual([...numbered('before-', 3), ...numbered('new-', 3)]);
  });

  it('starts from its new data as kubeadm lays it out anew, and the others join without a vote first (H4)', async () => {
    await start(3);
    await put(machines[0] as MachineRef, 'before-', 20);
    const [target, ...others] = machines;
    if (target === undefined) throw new Error('there is no member');
    await Promise.all(machines.map(({ name }) => etcd.end(name)));
    for (const { name } of machines) await dataOf(name).setAside(machineOf(name), restore);
    await dataOf('m0').restore(target, restore, { source: 'aside', ...memberOf('m0') });
    // As after `kubeadm init phase etcd local`: flags of a new cluster of one, over data that is there.
    etcd.start('m0', 'new', { m0: etcd.peerURL('m0') });
    const alone = access([target]);
    await until(async () => (await port().members(alone)).every(({ healthy }) => healthy));
    const flags: Record<string, string> = { m0: etcd.peerURL('m0') };
    for (const [index, { name }] of others.entries()) {
      await port().addLearner(alone, etcd.peerURL(name));
      const joining = (await port().members(alone)).filter(({ learner }) => learner);
      expect(joining).toHaveLength(1);
      flags[name] = etcd.peerURL(name);
      etcd.start(name, 'existing', flags);
      await until(async () => {
        await port().promote(alone, joining[0]?.id ?? '');
        return true;
      });
      const so = access(machines.slice(0, index + 2));
      await until(async () =>
        (await port().members(so)).every(({ healthy, learner }) => healthy && !learner),
      );
    }
    for (const machine of machines) expect(await keysAt(machine)).toEqual(numbered('before-', 20).sort());
  });

  it('keeps the former data whole, and may be repeated at every moment', async () => {
    await start(1);
    await put(machines[0] as MachineRef, 'kept-', 3);
    const taken = await takeSnapshot();
    const data = dataOf('m0');
    const machine = machineOf('m0');
    await expect(data.setAside(machine, restore)).rejects.toMatchObject({ report: { code: 'RESTORE-002' } });
    await etcd.end('m0');
    const member = { source: 'snapshot', ...memberOf('m0') } as const;
    await expect(data.restore(machine, restore, member)).rejects.toMatchObject({
      report: { code: 'RESTORE-001' },
    });
    for (let turn = 0; turn < 2; turn += 1) {
      await data.place(machine, restore, { sha256: taken.sha256, data: inPieces(taken.content) });
      await data.setAside(machine, restore);
      await data.restore(machine, restore, member);
    }
    const folder = etcd.folderOf('m0');
    expect(existsSync(join(folder, 'restore', restore, 'etcd/member/snap/db'))).toBe(true);
    expect(readdirSync(join(folder, 'data'))).toEqual(['member']);
    const machineAgain = await startRestored('m0');
    await put(machineAgain, 'later-', 1);
    await etcd.end('m0');
    // Whoever comes again once it lives changes nothing any more.
    await data.setAside(machine, restore);
    await data.restore(machine, restore, member);
    expect(await keysAt(await startRestored('m0'))).toEqual([...numbered('kept-', 3), 'later-0']);
  });

  it.each([2, 8, 15, 25, 40, 60, 90, 130])(
    'cut off on the machine after %i ms, again and again, loses nothing and ends well (V8)',
    async (after) => {
      await start(1);
      await put(machines[0] as MachineRef, 'kept-', 3);
      const taken = await takeSnapshot();
      await put(machines[0] as MachineRef, 'later-', 2);
      await etcd.end('m0');
      const machine = machineOf('m0');
      const member = { source: 'snapshot', ...memberOf('m0') } as const;
      const data = dataOf('m0');
      await data.place(machine, restore, { sha256: taken.sha256, data: inPieces(taken.content) });
      const asideIs = (of: EtcdDataPort) => of.look(machine, restore).then(({ isSetAside }) => isSetAside);
      for (let turn = 0; turn < 3 && !(await asideIs(data)); turn += 1)
        await dataOf('m0', after + turn).setAside(machine, restore);
      await data.setAside(machine, restore);
      for (let turn = 0; turn < 3; turn += 1)
        await dataOf('m0', after + turn * 7).restore(machine, restore, member);
      await data.restore(machine, restore, member);
      expect(await keysAt(await startRestored('m0'))).toEqual(numbered('kept-', 3));
      // What was set aside is whole: it can be gone on with as well.
      await etcd.end('m0');
      const again = '0000000000a3';
      await data.setAside(machine, again);
      const folder = etcd.folderOf('m0');
      renameSync(
        join(folder, 'restore', restore, 'etcd/member'),
        join(folder, 'restore', again, 'etcd/first'),
      );
      rmSync(join(folder, 'restore', again, 'etcd/member'), { recursive: true });
      renameSync(join(folder, 'restore', again, 'etcd/first'), join(folder, 'restore', again, 'etcd/member'));
      await data.restore(machine, again, { source: 'aside', ...memberOf('m0') });
      const all = await keysAt(await startRestored('m0'));
      expect(all).toEqual([...numbered('kept-', 3), ...numbered('later-', 2)]);
    },
  );

  it('takes over what an earlier restore set aside that came to nothing', async () => {
    await start(1);
    await put(machines[0] as MachineRef, 'kept-', 3);
    await etcd.end('m0');
    const data = dataOf('m0');
    const machine = machineOf('m0');
    await data.setAside(machine, restore);
    const next = '0000000000a2';
    await data.setAside(machine, next);
    await data.restore(machine, next, { source: 'aside', ...memberOf('m0') });
    expect(await keysAt(await startRestored('m0'))).toEqual(numbered('kept-', 3));
    expect((await data.look(machine, restore)).hasAside).toBe(false);
  });

  it('takes no snapshot that arrived otherwise than it was sent, and says what etcd says of a broken one', async () => {
    await start(1);
    const { content, sha256 } = await takeSnapshot();
    const data = dataOf('m0');
    const machine = machineOf('m0');
    const spoilt = Buffer.from(content);
    spoilt[4096] = (spoilt[4096] ?? 0) ^ 1;
    await expect(data.place(machine, restore, { sha256, data: inPieces(spoilt) })).rejects.toThrow('SHA-256');
    expect((await data.look(machine, restore)).snapshot).toBeUndefined();
    await etcd.end('m0');
    await data.setAside(machine, restore);
    const other = createHash('sha256').update(spoilt).digest('hex');
    await data.place(machine, restore, { sha256: other, data: inPieces(spoilt) });
    const member = { source: 'snapshot', ...memberOf('m0') } as const;
    await expect(data.restore(machine, restore, member)).rejects.toThrow(/sha256/);
    expect((await data.look(machine, restore)).hasData).toBe(false);
  });
});
