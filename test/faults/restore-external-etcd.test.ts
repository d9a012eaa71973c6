import { afterEach, describe, expect, it } from 'vitest';
import type { World } from './harness.ts';
import {
  backUp,
  begin,
  clusterOf,
  fromBackup,
  fromSurvivor,
  lose,
  machineOf,
  openWith,
  restore,
  votersOf,
  write,
  written,
} from './restore-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function opened(masters: number, etcd: number): Promise<World> {
  const world = await openWith({ masters, etcd });
  worlds.push(world);
  return world;
}

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** Whom each API server asks, by the names of machines. */
function askedBy(world: World): Record<string, string> {
  const { machines } = clusterOf(world);
  const nameOf = new Map([...machines.values()].map(({ address, name }) => [address, name]));
  return Object.fromEntries(
    [...machines.values()]
      .filter(({ role }) => role === 'control-plane')
      .map(({ name, files }) => {
        const urls = /--etcd-servers=(\S+)/.exec(files.get(manifest)?.content ?? '')?.[1]?.split(',') ?? [];
        return [name, urls.map((url) => nameOf.get(new URL(url).hostname) ?? url).join(' ')];
      }),
  );
}

/** Everybody's API server runs, and asks every member. */
function expectServed(world: World, masters: number): void {
  const asked = askedBy(world);
  expect(Object.keys(asked)).toHaveLength(masters);
  expect(new Set(Object.values(asked))).toEqual(new Set([votersOf(world).join(' ')]));
  expect(clusterOf(world).readyMasters(world.fleet.now)).toHaveLength(masters);
}

const etcd = (...numbers: readonly number[]): string[] => numbers.map((one) => `demo-etcd-${one}`);

describe('restore where etcd stands on machines of its own (H4, complaint 8)', () => {
  it.each([
    [1, 1],
    [3, 3],
  ])(
    'back to yesterday: %i masters and %i machines of etcd go back to a backup',
    async (masters, members) => {
      const world = await opened(masters, members);
      write(world, 'before');
      const backup = backUp(world);
      write(world, 'after');
      const before = votersOf(world);
      await restore(world, fromBackup(backup), { masters, etcd: members });
      expect(written(world)).toEqual(['before']);
      expect(votersOf(world)).toEqual(before);
      expectServed(world, masters);
    },
  );

  it('a lost majority of etcd, from a backup: the machine that is left gets the data, two new ones join', async () => {
    const world = await opened(3, 3);
    write(world, 'before');
    const backup = backUp(world);
    write(world, 'after');
    await lose(world, ...etcd(1, 3));
    await restore(world, fromBackup(backup, etcd(1, 3)), { masters: 3, etcd: 3 });
    expect(written(world)).toEqual(['before']);
    expect(votersOf(world)).toHaveLength(3);
    expect(votersOf(world)).toContain('demo-etcd-2');
    expectServed(world, 3);
  });

  it('a lost majority of etcd, with the data of who is left: nothing is lost', async () => {
    const world = await opened(1, 5);
    write(world, 'before');
    write(world, 'after');
    await lose(world, ...etcd(1, 3, 5));
    await restore(world, fromSurvivor('demo-etcd-4', etcd(1, 3, 5)), { masters: 1, etcd: 5 });
    expect(written(world)).toEqual(['after', 'before']);
    expect(votersOf(world)).toHaveLength(5);
    expectServed(world, 1);
  });

  it('every machine of etcd lost: a new one gets the data, and the masters that are there serve it', async () => {
    const world = await opened(3, 3);
    write(world, 'before');
    const backup = backUp(world);
    await lose(world, ...etcd(1, 2, 3));
    const masters = Object.keys(askedBy(world));
    await restore(world, fromBackup(backup, etcd(1, 2, 3)), { masters: 3, etcd: 3 });
    expect(written(world)).toEqual(['before']);
    expect(Object.keys(askedBy(world))).toEqual(masters);
    expectServed(world, 3);
  });

  it('every master and every machine of etcd lost: one of each is made first, then the others', async () => {
    const world = await opened(3, 3);
    write(world, 'before');
    const backup = backUp(world);
    const all = [...etcd(1, 2, 3), 'demo-cp-1', 'demo-cp-2', 'demo-cp-3'];
    await lose(world, ...all);
    await restore(world, fromBackup(backup, all), { masters: 3, etcd: 3 });
    expect(written(world)).toEqual(['before']);
    expectServed(world, 3);
  });

  it('the only master lost while etcd lives: a new one serves what etcd has', async () => {
    const world = await opened(1, 3);
    write(world, 'before');
    await lose(world, 'demo-cp-1');
    await restore(world, fromSurvivor('demo-etcd-2', ['demo-cp-1']), { masters: 1, etcd: 3 });
    expect(written(world)).toEqual(['before']);
    expect(votersOf(world)).toEqual(etcd(1, 2, 3));
    expectServed(world, 1);
  });

  it('one master lost with the majority of etcd: those that are left serve, and it is made again', async () => {
    const world = await opened(3, 3);
    write(world, 'before');
    await lose(world, ...etcd(1, 2), 'demo-cp-2');
    const lost = [...etcd(1, 2), 'demo-cp-2'];
    await restore(world, fromSurvivor('demo-etcd-3', lost), { masters: 3, etcd: 3 });
    expect(written(world)).toEqual(['before']);
    expectServed(world, 3);
  });

  it('lists no machine of etcd among those without a Node', async () => {
    const world = await opened(1, 3);
    const { id } = await restore(world, fromBackup(backUp(world)), { masters: 1, etcd: 3 });
    const detail = await world.run(world.request((engine) => engine.getOperation(id)));
    const facts = detail.stepList.find(({ kind }) => kind === 'cluster.reconcile')?.facts;
    expect(facts).toMatchObject({ machinesWithoutNode: [], nodesWithoutMachine: [] });
  });

  it('refuses while a machine of etcd is silent, or a master, and names who', async () => {
    const world = await opened(3, 3);
    const intent = fromBackup(backUp(world), ['demo-etcd-1']);
    await lose(world, 'demo-etcd-1', 'demo-cp-3');
    const before = world.fleet.mutatingCalls;
    const asked = { cluster: 'demo', principal: 'tester', intent, confirm: 'demo' };
    const refused = world.daemon?.process.run(() => world.daemon?.engine.dayTwo.start(asked));
    await expect(world.run(Promise.resolve(refused))).rejects.toThrow(/demo-cp-3 does not answer/);
    expect(world.fleet.mutatingCalls).toBe(before);
  });

  it('a second restore takes the place of one that was cancelled half-way, with another backup', async () => {
    const world = await opened(3, 3);
    write(world, 'first');
    const first = backUp(world);
    write(world, 'second');
    await world.run(world.clock.sleep(60_000));
    const second = backUp(world);
    write(world, 'third');
    const { id } = await begin(world, fromBackup(first));
    const stopped = async (): Promise<void> => {
      while (machineOf(world, 'demo-etcd-1').files.has('/etc/kubernetes/manifests/etcd.yaml'))
        await world.clock.sleep(500);
    };
    await world.run(stopped());
    await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
    await world.run(world.ended(id));
    await restore(world, fromBackup(second), { masters: 3, etcd: 3 });
    expect(written(world)).toEqual(['first', 'second']);
    expectServed(world, 3);
  });
});
