import { afterEach, describe, expect, it } from 'vitest';
import type { World } from './harness.ts';
import {
  backUp,
  clusterOf,
  fromBackup,
  fromSurvivor,
  lose,
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

async function opened(masters: number): Promise<World> {
  const world = await openWith(masters);
  worlds.push(world);
  return world;
}

describe('restore on the fleet (complaint 8)', () => {
  it.each([1, 3])(
    'back to yesterday: a healthy cluster of %i masters goes back to a backup',
    async (masters) => {
      const world = await opened(masters);
      write(world, 'before');
      const manifest = backUp(world);
      write(world, 'after');
      const before = votersOf(world);
      await restore(world, fromBackup(manifest), masters);
      expect(written(world)).toEqual(['before']);
      expect(votersOf(world)).toEqual(before);
    },
  );

  it('a lost majority, from a backup: one master is left, and two new ones come', async () => {
    const world = await opened(3);
    write(world, 'before');
    const manifest = backUp(world);
    write(world, 'after');
    await lose(world, 'demo-cp-1', 'demo-cp-3');
    await restore(world, fromBackup(manifest, ['demo-cp-1', 'demo-cp-3']), 3);
    expect(written(world)).toEqual(['before']);
    expect(votersOf(world)).toHaveLength(3);
    expect(votersOf(world)).toContain('demo-cp-2');
    expect([...clusterOf(world).machines.keys()]).not.toContain('demo-cp-1');
  });

  it('a lost majority, with the data of who is left: nothing is lost', async () => {
    const world = await opened(3);
    write(world, 'before');
    write(world, 'after');
    await lose(world, 'demo-cp-1', 'demo-cp-3');
    await restore(world, fromSurvivor('demo-cp-2', ['demo-cp-1', 'demo-cp-3']), 3);
    expect(written(world)).toEqual(['after', 'before']);
    expect(votersOf(world)).toHaveLength(3);
  });

  it('every master lost: a new first one with the same authorities and address, then the others', async () => {
    const world = await opened(3);
    write(world, 'before');
    const manifest = backUp(world);
    write(world, 'after');
    const all = ['demo-cp-1', 'demo-cp-2', 'demo-cp-3'];
    await lose(world, ...all);
    await restore(world, fromBackup(manifest, all), 3);
    expect(written(world)).toEqual(['before']);
    expect(votersOf(world)).toHaveLength(3);
  });

  it('refuses to begin while a master is silent that nobody called lost, and names it', async () => {
    const world = await opened(3);
    const manifest = backUp(world);
    await lose(world, 'demo-cp-1');
    const before = world.fleet.mutatingCalls;
    const intent = fromBackup(manifest);
    const refused = world.daemon?.process.run(() =>
      world.daemon?.engine.dayTwo.start({ cluster: 'demo', principal: 'tester', intent, confirm: 'demo' }),
    );
    await expect(world.run(Promise.resolve(refused))).rejects.toThrow(/demo-cp-1 does not answer/);
    expect(world.fleet.mutatingCalls).toBe(before);
  });
});

describe('the world did not go back (DESIGN §5)', () => {
  it('a worker that came since the backup joins again by itself; one that left since is listed', async () => {
    const world = await opened(1);
    write(world, 'before');
    const manifest = backUp(world);
    const change = { kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' } as const;
    const replaced = await world.run(world.change(change, 'replace'));
    expect(replaced?.state, world.explain()).toBe('succeeded');
    const machines = [...clusterOf(world).machines.keys()].sort();
    expect(machines).not.toContain('demo-general-1');
    const { id } = await restore(world, fromBackup(manifest), 1);
    const detail = await world.run(world.request((engine) => engine.getOperation(id)));
    const facts = detail.stepList.find(({ kind }) => kind === 'cluster.reconcile')?.facts;
    expect(facts).toMatchObject({ nodesWithoutMachine: ['demo-general-1'], unknownVolumes: [] });
    const nodes = clusterOf(world)
      .objects.list('v1', 'Node')
      .map(({ metadata }) => metadata.name)
      .sort();
    expect(nodes).toEqual(expect.arrayContaining(machines));
  });
});
