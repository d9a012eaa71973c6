import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DriftAnswer } from '../../daemon/operations/drift.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

let world: World;

beforeEach(async () => {
  world = new World();
  await world.open();
  await world.run(world.apply(answerFile(), 'create'));
});

afterEach(() => {
  const { violations } = world.fleet;
  world.close();
  expect(violations).toEqual([]);
});

const look = (): Promise<DriftAnswer> => world.run(world.request((engine) => engine.drift.look('demo')));
const short = ({ items }: DriftAnswer): string[] => items.map(({ step, state }) => `${step} ${state}`);

describe('drift (DESIGN §1.3, issue 4)', () => {
  it('finds nothing on a cluster that was just made, has looked at every machine, and changes nothing', async () => {
    const before = world.fleet.events.length;
    const found = await look();
    expect(short(found)).toEqual([]);
    expect(found.unmet).toEqual([]);
    expect(found.checked).toBeGreaterThan(40);
    expect(world.fleet.events.length).toBe(before);
  });
});
