import { afterEach, describe, expect, it } from 'vitest';
import { rotationStages } from '../../provisioners/contract/secrets.ts';
import { answerFile } from './answer-file.ts';
import type { Violation } from '../fleet/model/fleet.ts';
import type { World } from './harness.ts';
import {
  backUp,
  begin as beginRestore,
  clusterOf,
  expectSettled,
  fromBackup,
  fromSurvivor,
  lose,
  type RestoreIntent,
  votersOf,
  write,
  written,
} from './restore-story.ts';
import {
  certifyKubelets,
  expectOver,
  openRotated,
  seen,
  stage,
  stagesAfter,
  stagesUpTo,
  toldToJoiners,
} from './rotation-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const size = 3;
const file = answerFile({ masters: size, workers: 2 });

async function opened(): Promise<World> {
  const world = await openRotated(file);
  worlds.push(world);
  write(world, 'before');
  return world;
}

/** Restores. Pods of older data that start before they are told of today's authorities cannot believe them: others may never. */
async function restored(world: World, intent: RestoreIntent): Promise<void> {
  const { id } = await beginRestore(world, intent);
  const view = await world.run(world.ended(id));
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect([...clusterOf(world).quarrels], world.explain()).toEqual([]);
  const isOfPod = ({ kind, detail }: Violation): boolean => kind === 'distrust' && detail.startsWith('pod ');
  expect(
    world.fleet.violations.filter((one) => !isOfPod(one)),
    world.explain(),
  ).toEqual([]);
  world.fleet.violations.length = 0;
  await expectSettled(world, size);
}

/** The restored cluster stands where its keys stand, whatever its data says, and machines that join are told the same. */
function expectAtKeys(world: World, believed: readonly string[]): void {
  const now = seen(world);
  for (const ids of now.believed) expect(ids, world.explain()).toEqual(believed);
  expect(toldToJoiners(world).toSorted()).toEqual(believed.toSorted());
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

describe('a restore in the midst of a rotation (H12, complaint 8)', () => {
  it.each(rotationStages)(
    'after %s, back to a backup from before it: the authorities of today stay, and everybody is told of them',
    async (reached) => {
      const world = await opened();
      const before = seen(world);
      for (const earlier of rotationStages.slice(0, rotationStages.indexOf(reached)))
        await stage(world, earlier);
      const manifest = backUp(world);
      await stage(world, reached);
      write(world, 'after');
      const [believed = []] = seen(world).believed;
      await restored(world, fromBackup(manifest));
      expect(written(world)).toEqual(['before']);
      certifyKubelets(world);
      expectAtKeys(world, believed);
      await stagesAfter(world, reached);
      await expectOver(world, before, file);
    },
  );

  it('after drop, back to a backup from before trust: whoever joins then believes the new authority', async () => {
    const world = await opened();
    const before = seen(world);
    const manifest = backUp(world);
    await stagesUpTo(world, 'drop');
    await restored(world, fromBackup(manifest));
    const grown = await world.run(world.apply(answerFile({ masters: size, workers: 3 }), 'grow'));
    expect(grown?.state, world.explain()).toBe('succeeded');
    await expectOver(world, before, answerFile({ masters: size, workers: 3 }));
  });

  it.each(['trust', 'reissue'] as const)(
    'after %s, a lost majority: on with one that is left',
    async (reached) => {
      const world = await opened();
      const before = seen(world);
      await stagesUpTo(world, reached);
      const [believed = []] = seen(world).believed;
      write(world, 'after');
      await lose(world, 'demo-cp-1', 'demo-cp-3');
      await restored(world, fromSurvivor('demo-cp-2', ['demo-cp-1', 'demo-cp-3']));
      expect(written(world)).toEqual(['after', 'before']);
      certifyKubelets(world);
      expectAtKeys(world, believed);
      await stagesAfter(world, reached);
      await expectOver(world, before, file);
    },
  );

  it.each(['trust', 'reissue'] as const)(
    'after %s, every master lost: new ones have the authorities that the cluster has by now',
    async (reached) => {
      const world = await opened();
      const before = seen(world);
      const manifest = backUp(world);
      await stagesUpTo(world, reached);
      const [believed = []] = seen(world).believed;
      const all = ['demo-cp-1', 'demo-cp-2', 'demo-cp-3'];
      await lose(world, ...all);
      await restored(world, fromBackup(manifest, all));
      expect(votersOf(world)).toHaveLength(3);
      expect([...clusterOf(world).machines.keys()]).not.toContain('demo-cp-1');
      certifyKubelets(world);
      expectAtKeys(world, believed);
      await stagesAfter(world, reached);
      await expectOver(world, before, file);
    },
  );

  it('says before anybody agrees that the authorities stay as they are, and only where they are others than then', async () => {
    const world = await opened();
    const asked = { cluster: 'demo', principal: 'tester' };
    const take = async (): Promise<void> => {
      const request = { ...asked, intent: { kind: 'backup' as const } };
      const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(request)));
      expect((await world.run(world.ended(operation?.id ?? ''))).state, world.explain()).toBe('succeeded');
    };
    const told = async (): Promise<string> => {
      const request = { ...asked, from: 'backup' as const, lost: [], acceptsUnknown: false };
      return (
        (await world.run(world.request((engine) => engine.restoring.plan(request)))).plans[0]?.text ?? ''
      );
    };
    await take();
    expect(await told()).not.toContain('authorities were rotated');
    await world.run(world.clock.sleep(60_000));
    await stage(world, 'trust');
    expect(await told()).toContain('the cluster keeps those of today');
    await world.run(world.clock.sleep(60_000));
    await take();
    expect(await told()).not.toContain('authorities were rotated');
  });
});
