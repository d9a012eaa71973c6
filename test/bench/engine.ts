import { performance } from 'node:perf_hooks';
import { answerFile } from '../faults/answer-file.ts';
import { World } from '../faults/harness.ts';

/** Workers beside three masters; DESIGN §9 speaks of 1,000 machines. */
const workers = Number(process.argv[2] ?? 997);

/** Engine, runner, link and fleet in one process: CPU a step, and the time of a plan; prints one line a number. */
async function measure(): Promise<void> {
  const world = new World({});
  try {
    await world.open();
    const text = answerFile({ workers });
    const planStart = performance.now();
    const plan = await world.run(
      world.request((engine) => engine.plan({ text, file: 'bench.yaml', principal: 'bench' })),
    );
    const planTime = performance.now() - planStart;
    const steps = plan.plans[0]?.plan.steps.length ?? 0;
    const before = process.cpuUsage();
    const view = await world.run(world.apply(text, 'bench'));
    const { user, system } = process.cpuUsage(before);
    console.log(`machines                      ${workers + 3}`);
    console.log(`steps                         ${steps}`);
    console.log(`plan, with observation        ${planTime.toFixed(0)} ms`);
    console.log(`create ended                  ${view?.state} ${view?.problem?.summary ?? ''}`);
    console.log(
      `CPU a step, everything        ${((user + system) / 1000 / Math.max(1, steps)).toFixed(2)} ms`,
    );
    const again = performance.now();
    await world.run(world.apply(text, 'again'));
    console.log(`second apply (nothing to do)  ${(performance.now() - again).toFixed(0)} ms`);
  } finally {
    world.close();
  }
}

await measure();
