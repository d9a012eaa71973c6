import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtcdAdapter } from '../../appliance/agent/adapters/etcd.ts';
import { ClientCertificates } from '../../appliance/agent/client-certificates.ts';
import { Machines } from '../../appliance/agent/machines.ts';
import { drawClusterKeys } from '../../appliance/agent/pki.ts';
import { MachinePool } from '../../appliance/agent/ssh/pool.ts';
import { callOver } from '../../appliance/agent/tunnel.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { EtcdMember } from '../../provisioners/contract/observed.ts';
import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import { EtcdProcesses } from '../fleet/etcd-processes.ts';
import { everySet, memberNames, type MemberSet, quorumOf, slice } from '../fleet/member-sets.ts';

const { signal } = new AbortController();

/** Machines whose etcd is reached by a plain socket instead of through SSH. */
class DirectMachines extends Machines {
  constructor() {
    super({ pool: new MachinePool(), privateKey: async () => '', epoch: 1, signal: () => signal });
  }

  override async forward(machine: MachineRef, host: string, port: number): Promise<Duplex> {
    return connect({ host: host === '127.0.0.1' ? machine.address : host, port });
  }
}

let keys: ClusterKeys;
let etcd: EtcdProcesses;
let machines: MachineRef[];
let block = 20;

async function start(names: readonly string[]): Promise<void> {
  machines = [];
  for (const name of names) machines.push(await etcd.place(name));
  const initial = Object.fromEntries(names.map((name) => [name, etcd.peerURL(name)]));
  for (const name of names) etcd.start(name, 'new', initial);
  await until(async () => {
    const members = await port().members(access());
    return members.length === names.length && members.every(({ healthy }) => healthy);
  });
}

const port = (): EtcdAdapter =>
  new EtcdAdapter(new DirectMachines(), new ClientCertificates(async () => keys), () => signal);
const access = () => ({ masters: machines, apiPort: 6444 });
/** The same members on machines of their own: those are asked, and no master. */
const apart = () => ({ masters: [], apiPort: 6444, etcd: machines });

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await isSo().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not come about');
}

/** MemberAdd as kubeadm calls it, again until etcd has been connected to all its members for 5 s and allows it. */
const add = (name: string, isLearner: boolean): Promise<void> =>
  until(async () => {
    await addOnce(name, isLearner);
    return true;
  });

async function addOnce(name: string, isLearner: boolean): Promise<void> {
  const [first] = machines as [MachineRef];
  const reply = await callOver(
    () => connect({ host: first.address, port: 2379 }),
    await new ClientCertificates(async () => keys).etcd(),
    {
      method: 'POST',
      path: '/v3/cluster/member/add',
      body: JSON.stringify({ peerURLs: [etcd.peerURL(name)], isLearner }),
    },
    { patience: 5000, signal, what: 'etcd' },
  );
  if (reply.status !== 200) throw new Error(reply.text);
}

const memberAt = async (name: string): Promise<EtcdMember | undefined> =>
  (await port().members(access())).find(({ peerURLs }) => peerURLs.includes(etcd.peerURL(name)));

beforeEach(async () => {
  keys = await drawClusterKeys('etcd-test');
  block += 1;
  etcd = new EtcdProcesses(keys.etcd, block);
});

afterEach(() => etcd.stop());

describe('membership against real etcd processes (complaints 5 and 6)', () => {
  it('sees a joiner that never starts, and evicts it', async () => {
    await start(['m1', 'm2', 'm3']);
    await etcd.place('m4');
    await add('m4', false);
    const stray = await memberAt('m4');
    expect(stray).toMatchObject({ started: false, name: '', healthy: false, learner: false });
    await port().removeMember(access(), stray?.id ?? '');
    expect(await port().members(access())).toHaveLength(3);
  });

  it('sees a learner that never promotes, and evicts it', async () => {
    await start(['m1', 'm2', 'm3']);
    machines.push(await etcd.place('m4'));
    await add('m4', true);
    etcd.start(
      'm4',
      'existing',
      Object.fromEntries(['m1', 'm2', 'm3', 'm4'].map((name) => [name, etcd.peerURL(name)])),
    );
    await until(async () => (await memberAt('m4'))?.started === true);
    const learner = await memberAt('m4');
    expect(learner).toMatchObject({ learner: true, started: true });
    await port().removeMember(access(), learner?.id ?? '');
    expect((await port().members(access())).map(({ name }) => name).sort()).toEqual(['m1', 'm2', 'm3']);
  });

  it('evicts a half-joined member that started once and died', async () => {
    await start(['m1', 'm2', 'm3']);
    await etcd.kill('m3');
    await until(async () => (await memberAt('m3'))?.healthy === false);
    const half = await memberAt('m3');
    await port().removeMember(access(), half?.id ?? '');
    expect((await port().members(access())).map(({ name }) => name).sort()).toEqual(['m1', 'm2']);
  });

  it('asks members that joined meanwhile through a master that it knows: who is well counts, not who is known', async () => {
    await start(['m1', 'm2', 'm3']);
    const known = { ...access(), masters: machines.slice(0, 1) };
    const healthOf = async () => (await port().members(known)).map(({ healthy }) => healthy);
    expect(await healthOf()).toEqual([true, true, true]);
    await etcd.kill('m3');
    await until(async () => (await healthOf()).filter(Boolean).length === 2);
  });

  it('refuses a removal after which the rest would have no quorum, and leaves everything as it is', async () => {
    await start(['m1', 'm2', 'm3']);
    await etcd.kill('m3');
    await until(async () => (await memberAt('m3'))?.healthy === false);
    const healthy = await memberAt('m2');
    await expect(port().removeMember(access(), healthy?.id ?? '')).rejects.toMatchObject({
      report: {
        code: 'ETCD-104',
        kind: 'blocked',
        remedy: expect.stringMatching(/^Bring m3 back, or add a master first;/) as string,
      },
    });
    // Where etcd stands apart, a master would not help.
    await expect(port().removeMember(apart(), healthy?.id ?? '')).rejects.toMatchObject({
      report: { remedy: expect.stringMatching(/^Bring m3 back, or add a machine of etcd first;/) as string },
    });
    expect(await port().members(access())).toHaveLength(3);
  });

  it('still lists members when a second member that never started took the quorum (1 to 2)', async () => {
    await start(['m1']);
    await etcd.place('m2');
    await add('m2', false);
    const members = await port().members(access());
    expect(members.map(({ started }) => started).sort()).toEqual([false, true]);
  });
});

/** Starts a member that was announced, beside those that are there. */
function startBeside(name: string, others: readonly string[]): void {
  etcd.start(name, 'existing', Object.fromEntries([...others, name].map((one) => [one, etcd.peerURL(one)])));
}

describe('members of etcd apart from the masters, against real etcd (H4, H18)', () => {
  it('adds one without a vote, once however often it is asked, and gives the vote when it has caught up', async () => {
    await start(['m1']);
    machines.push(await etcd.place('m2'));
    await until(() =>
      port()
        .addLearner(apart(), etcd.peerURL('m2'))
        .then(() => true),
    );
    await port().addLearner(apart(), etcd.peerURL('m2'));
    const added = await memberAt('m2');
    expect(added).toMatchObject({ started: false, learner: true });
    expect(await port().members(apart())).toHaveLength(2);
    // The only voter goes on alone: it has its quorum though the new one never started.
    expect((await memberAt('m1'))?.healthy).toBe(true);
    await expect(port().promote(apart(), added?.id ?? '')).rejects.toMatchObject({
      report: { kind: 'transient' },
    });
    startBeside('m2', ['m1']);
    await until(async () => {
      await port().promote(apart(), added?.id ?? '');
      return (await memberAt('m2'))?.learner === false;
    });
    await port().promote(apart(), added?.id ?? '');
    await until(async () => (await port().members(apart())).every(({ healthy }) => healthy));
  });

  it('adds nobody while those that are there are no majority, and names who has to be well', async () => {
    await start(['m1', 'm2', 'm3']);
    await Promise.all(['m2', 'm3'].map((name) => etcd.kill(name)));
    await etcd.place('m4');
    await until(async () => (await memberAt('m3'))?.healthy === false);
    await expect(port().addLearner(apart(), etcd.peerURL('m4'))).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'ETCD-106', remedy: expect.stringMatching(/m2.*m3|m3.*m2/) as string },
    });
    expect(await port().members(apart())).toHaveLength(3);
  });
});

/** Whether etcd keeps its quorum without one voter more, by arithmetic alone. */
function mayLeave({ count, lost }: MemberSet, name: string): boolean {
  const well = count - lost.length;
  const wellAfter = lost.includes(name) ? well : well - 1;
  return well >= quorumOf(count) && wellAfter >= quorumOf(count - 1);
}

describe('removals against real etcd, all sets of failed members (proof 5; complaint 6)', () => {
  it.each(slice(everySet, 1))('$count members, $lost failed', async (set) => {
    const { count, lost } = set;
    const names = memberNames(count);
    await start(names);
    await Promise.all(lost.map((name) => etcd.kill(name)));
    const hasQuorum = count - lost.length >= quorumOf(count);
    const well = hasQuorum ? names.filter((name) => !lost.includes(name)) : [];
    if (lost.length === count) {
      await expect(port().members(access())).rejects.toMatchObject({ report: { kind: 'transient' } });
      return;
    }
    const wellNow = async (): Promise<string[]> =>
      (await port().members(access())).flatMap(({ name, healthy }) => (healthy ? [name] : [])).sort();
    await until(async () => (await wellNow()).join() === well.join());
    const before = await port().members(access());
    // Of each sort one: members of a sort are alike.
    const asked = [lost[0], names.find((name) => !lost.includes(name))].filter((name) => name !== undefined);
    for (const name of asked.filter((one) => !mayLeave(set, one))) {
      const id = before.find((member) => member.name === name)?.id ?? '';
      await expect(port().removeMember(access(), id), name).rejects.toMatchObject({
        report: { kind: 'blocked' },
      });
    }
    expect((await port().members(access())).map(({ id }) => id).sort()).toEqual(
      before.map(({ id }) => id).sort(),
    );
    const leaver = asked.find((name) => mayLeave(set, name));
    if (leaver === undefined) return;
    await until(async () => {
      await port().removeMember(access(), before.find(({ name }) => name === leaver)?.id ?? '');
      return true;
    });
    const left = await port().members({
      ...access(),
      masters: machines.filter(({ name }) => name !== leaver),
    });
    expect(left.map(({ name }) => name).sort()).toEqual(names.filter((name) => name !== leaver));
    expect(left.filter(({ healthy }) => healthy).length).toBeGreaterThanOrEqual(quorumOf(left.length));
  });
});
