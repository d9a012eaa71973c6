import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';
import { beginEjection } from './ownership-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function open(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  return world;
}

const file = (etcd: number, masters = 3, machine = ''): string =>
  answerFile({ masters, workers: 1, etcd: `{ topology: external, replicas: ${etcd}${machine} }` });

const endOf = (view: OperationView | undefined): string =>
  [view?.state ?? 'nothing to do', view?.problem?.code, view?.problem?.summary].filter(Boolean).join(' ');

/** Applies a file and says how that ended. */
const apply = (world: World, text: string, key: string): Promise<string> =>
  world.run(
    (async () => {
      const request = {
        text,
        file: 'cluster.yaml',
        principal: 'tester',
        confirm: ['demo'],
        idempotencyKey: key,
      };
      const { operations } = await world.request((engine) => engine.apply(request));
      const [operation] = operations;
      return endOf(operation && (await world.ended(operation.id)));
    })(),
  );

/** Replaces machines by name, and says how that ended. */
const replace = async (world: World, machines: readonly string[], key: string): Promise<string> =>
  endOf(await world.run(world.change({ kind: 'replace', machines, mode: 'destroy' }, key)));

const machineOf = (world: World, name: string) => {
  const machine = cluster(world).machines.get(name);
  if (machine === undefined) throw new Error(`there is no ${name}`);
  return machine;
};

const cluster = (world: World) => {
  const [only] = world.fleet.clusters.values();
  if (only === undefined) throw new Error('there is no cluster');
  return only;
};

/** Voters that run, by name. */
const voters = (world: World): string[] =>
  cluster(world)
    .etcd.members.filter(({ learner, running }) => running && !learner)
    .map(({ name }) => name)
    .toSorted();

/** Whom each API server asks, by the addresses of machines; masters that are kept, sealed off, have none. */
function askedBy(world: World): string[] {
  const { machines } = cluster(world);
  const nameOf = new Map([...machines.values()].map(({ address, name }) => [address, name]));
  return [...machines.values()]
    .filter(({ role }) => role === 'control-plane')
    .map(({ files }) => {
      const manifest = files.get('/etc/kubernetes/manifests/kube-apiserver.yaml')?.content ?? '';
      const urls = /--etcd-servers=(\S+)/.exec(manifest)?.[1]?.split(',') ?? [];
      return urls.map((url) => nameOf.get(new URL(url).hostname) ?? url).join(' ');
    })
    .filter((names) => names !== '');
}

function expectSound(world: World): void {
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

describe('etcd on machines of its own (H4, H18)', () => {
  it('is made before the masters, which have no members; a second apply has nothing to do', async () => {
    const world = await open();
    expect(await apply(world, file(3), 'create'), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3']);
    expect(new Set(askedBy(world))).toEqual(new Set(['demo-etcd-1 demo-etcd-2 demo-etcd-3']));
    expect(await apply(world, file(3), 'again')).toBe('nothing to do');
  });

  it('grows 1 → 3 → 5 → 3, one member at a time, and API servers follow', async () => {
    const world = await open();
    const ends: string[] = [];
    for (const count of [1, 3, 5, 3]) ends.push(await apply(world, file(count, 1), `to ${ends.length}`));
    expect(ends, world.explain()).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3']);
    expect(askedBy(world)).toEqual(['demo-etcd-1 demo-etcd-2 demo-etcd-3']);
    expect(await apply(world, file(3, 1), 'again')).toBe('nothing to do');
  });

  it('replaces a machine that works: the new one votes before the old one leaves', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    const births = world.fleet.births.length;
    expect(await replace(world, ['demo-etcd-1'], 'replace'), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-2', 'demo-etcd-3', 'demo-etcd-4']);
    expect(askedBy(world)).toEqual(['demo-etcd-2 demo-etcd-3 demo-etcd-4']);
    expect(world.fleet.births.slice(births).filter((birth) => birth.startsWith('machine'))).toEqual([
      'machine demo-etcd-4 1',
    ]);
    expect(await apply(world, file(3, 1), 'again')).toBe('nothing to do');
  });

  it('replaces a machine that is dead: its member leaves first, and nobody loses quorum', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    world.fleet.setPower(machineOf(world, 'demo-etcd-2'), 'off');
    await world.run(world.clock.sleep(60_000));
    expect(await replace(world, ['demo-etcd-2'], 'replace'), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-1', 'demo-etcd-3', 'demo-etcd-4']);
    expect(askedBy(world)).toEqual(['demo-etcd-1 demo-etcd-3 demo-etcd-4']);
  });

  it('makes a machine again that vanished at the provider', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    const lost = machineOf(world, 'demo-etcd-3');
    cluster(world).machines.delete(lost.name);
    world.fleet.byAddress.delete(lost.address);
    await world.run(world.clock.sleep(60_000));
    expect(await apply(world, file(3, 1), 'mend'), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3']);
  });

  it('exchanges all for machines of another size, never more than one too many', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    const larger = file(3, 1, ', machine: { cpus: 4, memory: 4Gi }');
    expect(await apply(world, larger, 'resize'), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toHaveLength(3);
    expect([...cluster(world).machines.values()].filter(({ role }) => role === 'etcd')).toMatchObject(
      Array.from({ length: 3 }, () => ({ shape: { cpus: 4 } })),
    );
    expect(askedBy(world)).toEqual([voters(world).join(' ')]);
  });

  it('replaces masters, and upgrades them, without touching etcd', async () => {
    const world = await open();
    await apply(world, file(1, 1), 'create');
    expect(await replace(world, ['demo-cp-1'], 'replace'), world.explain()).toBe('succeeded');
    const upgrade = { kind: 'upgrade', version: '1.20.3' } as const;
    expect(endOf(await world.run(world.change(upgrade, 'upgrade'))), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toEqual(['demo-etcd-1']);
    expect(new Set(askedBy(world))).toEqual(new Set(['demo-etcd-1']));
  });

  it('renews the certificates of all its machines, one after another, and backs etcd up', async () => {
    const world = await open();
    await apply(world, file(3, 3), 'create');
    await world.run(world.clock.sleep(600_000));
    const since = new Date(world.clock.milliseconds() - 1000).toISOString();
    const intents = [{ kind: 'renew', since }, { kind: 'backup' }] as const;
    for (const intent of intents) {
      const asked = { cluster: 'demo', principal: 'tester', intent, idempotencyKey: intent.kind };
      const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(asked)));
      const end = operation && (await world.run(world.ended(operation.id)));
      expect(endOf(end), world.explain()).toBe('succeeded');
    }
    expectSound(world);
    const restarted = new Set(
      world.fleet.effects
        .filter(({ call }) => call === 'host.restartComponent')
        .map(({ target }) => target)
        .filter((target) => /:(etcd|kube-apiserver)$/.test(target)),
    );
    const expected = [1, 2, 3].flatMap((one) => [`demo-etcd-${one}:etcd`, `demo-cp-${one}:kube-apiserver`]);
    expect(restarted).toEqual(new Set(expected));
    expect(world.fleet.backups).not.toHaveLength(0);
  });

  it('sees a machine of etcd that fell away, and speaks of no Node that it should have', async () => {
    const world = new World({ healthEvery: 15_000 });
    worlds.push(world);
    await world.open();
    await apply(world, file(3, 1), 'create');
    world.fleet.setPower(machineOf(world, 'demo-etcd-2'), 'off');
    await world.run(world.clock.sleep(600_000));
    const health = await world.run(world.request((engine) => engine.clusterHealth.get('demo')));
    const conditions = new Map(
      health.conditions.map(({ type, status, message }) => [type, `${status} ${message}`]),
    );
    expect(conditions.get('NodesReady')).toMatch(/^True/);
    expect(conditions.get('EtcdHealthy')).toMatch(/^False.*demo-etcd-2/);
    expect(conditions.get('DiskSpace')).toContain('each master and each machine of etcd has more');
  });

  it('speaks of machines of etcd where they are meant: when their majority is lost, and when none is on', async () => {
    const world = new World({ healthEvery: 15_000 });
    worlds.push(world);
    await world.open();
    await apply(world, file(3, 1), 'create');
    const conditionsOf = async () => {
      await world.run(world.clock.sleep(600_000));
      const { conditions } = await world.run(world.request((engine) => engine.clusterHealth.get('demo')));
      return new Map(conditions.map((one) => [one.type, one]));
    };
    for (const name of ['demo-etcd-2', 'demo-etcd-3']) world.fleet.setPower(machineOf(world, name), 'off');
    const lost = await conditionsOf();
    expect(lost.get('EtcdHealthy')).toMatchObject({
      reason: 'QuorumLost',
      remedy: 'Bring the machines back that do not answer; remove none of them meanwhile.',
    });
    expect(lost.get('ApiServerHealthy')?.remedy).toContain(
      'at etcd on demo-etcd-1, demo-etcd-2, demo-etcd-3',
    );
    const asked = { cluster: 'demo', principal: 'tester', intent: { kind: 'backup' } } as const;
    const refused = world.daemon?.process.run(() => world.daemon?.engine.dayTwo.start(asked));
    await expect(world.run(Promise.resolve(refused))).rejects.toMatchObject({
      report: {
        code: 'PLAN-040',
        summary: expect.stringContaining('etcd has no majority: ') as string,
        remedy: expect.stringMatching(/^Bring the machines back that are named/) as string,
      },
    });
    world.fleet.setPower(machineOf(world, 'demo-etcd-1'), 'off');
    expect((await conditionsOf()).get('EtcdHealthy')?.message).toBe(
      'No machine of etcd is on: demo-etcd-1, demo-etcd-2, demo-etcd-3.',
    );
  });

  it('names masters and machines of etcd to who would renew neither, and says how the only master is away', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    await world.run(world.clock.sleep(600_000));
    const wish = (machines: readonly string[]) => ({
      cluster: 'demo',
      principal: 'tester',
      intent: {
        kind: 'renew' as const,
        since: new Date(world.clock.milliseconds() - 1000).toISOString(),
        machines: [...machines],
      },
    });
    const refused = world.daemon?.process.run(() =>
      world.daemon?.engine.dayTwo.plan(wish(['demo-general-1'])),
    );
    await expect(world.run(Promise.resolve(refused))).rejects.toMatchObject({
      report: {
        code: 'PLAN-051',
        summary: 'demo-general-1 is no master and no machine of etcd on duty of this cluster',
        remedy: expect.stringContaining('Name masters or machines of etcd (demo-cp-1, demo-etcd-1') as string,
      },
    });
    const all = ['demo-cp-1', 'demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3'];
    const { plans } = await world.run(world.request((engine) => engine.dayTwo.plan(wish(all))));
    expect(plans[0]?.text).toContain(
      'With one master the API is away for some seconds while its API server restarts.',
    );
  });

  it('is given away whole: its members and API servers go on without Remuda (H23)', async () => {
    const world = await open();
    await apply(world, file(3, 1), 'create');
    const end = await world.run(beginEjection(world).then((operation) => world.ended(operation)));
    expect(endOf(end), world.explain()).toBe('succeeded');
    expectSound(world);
    expect(voters(world)).toHaveLength(3);
    expect(cluster(world).readyMasters(world.fleet.now)).toHaveLength(1);
  });
});
