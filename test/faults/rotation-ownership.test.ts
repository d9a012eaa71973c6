import { afterEach, describe, expect, it } from 'vitest';
import type { World } from './harness.ts';
import { beginAdoption, beginEjection, fileOf, wish } from './ownership-story.ts';
import {
  certifyKubelets,
  expectNothingToDo,
  openRotated,
  seen,
  stage,
  stagesUpTo,
} from './rotation-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function ended(world: World, begun: Promise<string>): Promise<void> {
  const view = await world.run((async () => world.ended(await begun))());
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

/** Given away and taken in again, by way of a master. Answers the file that is in force then. */
async function changeHands(world: World): Promise<string> {
  let text = '';
  await ended(
    world,
    beginEjection(world, (handedOver) => {
      text = handedOver;
    }),
  );
  await ended(world, beginAdoption(world, wish(world, 3, { text })));
  certifyKubelets(world);
  const settled = await world.run(world.apply(text, 'settle'));
  expect(settled?.state ?? 'succeeded', world.explain()).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
  return text;
}

describe('a cluster that changes hands in the midst of a rotation (H12, H23)', () => {
  it('after reissue: who takes it in drops the old authority', async () => {
    const world = await openRotated(fileOf(3));
    worlds.push(world);
    const before = seen(world);
    await stagesUpTo(world, 'reissue');
    const at = seen(world);
    const text = await changeHands(world);
    expect(seen(world)).toEqual(at);
    await stage(world, 'drop');
    const over = seen(world);
    expect(new Set(over.believed.flat()).size).toBe(1);
    expect(before.believed.flat()).not.toContain(over.believed[0]?.[0]);
    expect(over.leaves.toSorted()).toEqual(at.leaves.toSorted());
    await expectNothingToDo(world, text);
  });

  it('after trust: the next one, whose key no master has, is dropped; then a rotation begins anew', async () => {
    const world = await openRotated(fileOf(3));
    worlds.push(world);
    const before = seen(world);
    await stagesUpTo(world, 'trust');
    const text = await changeHands(world);
    await stage(world, 'drop');
    expect(seen(world)).toEqual(before);
    await stagesUpTo(world, 'drop');
    const over = seen(world);
    expect(new Set(over.believed.flat()).size).toBe(1);
    expect(over.leaves.filter((id) => before.leaves.includes(id))).toEqual([]);
    await expectNothingToDo(world, text);
  });
});
