import { it } from 'vitest';
import { World } from './harness.ts';
import { answerFile } from './answer-file.ts';
it('opens', async () => {
  const t0 = performance.now();
  const world = new World({});
  try {
    await world.open();
    world.boundaries.begin();
    console.log('open', performance.now() - t0, world.clock.now());
    const op = await world.run(world.apply(answerFile(), 'k'));
    console.log('apply', performance.now() - t0, op?.state, op?.problem, world.clock.now());
    console.log(world.explain());
    console.log(world.boundaries.crossings.length, world.fleet.callCounts);
    const t1 = performance.now();
    const before = world.fleet.mutatingCalls;
    console.log(
      JSON.stringify(await world.run(world.apply(answerFile(), 'k2'))),
      world.fleet.mutatingCalls - before,
      performance.now() - t1,
    );
    const del = await world.run(world.remove('demo', 'd'));
    console.log(JSON.stringify(del).slice(0, 500), performance.now() - t1);
  } catch (e) {
    console.log(world.explain());
    throw e;
  } finally {
    world.close();
  }
});
