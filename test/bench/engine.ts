/**
 * Everything but machines, in one process: real engine, runner, planner, agent, step loop and SQLite files over the
 * model of the fault tests, under model time. Measured are a plan with its look, processor time a step of a whole
 * creation (daemon, agent and model together: compare `engine-cpu` for the engine alone, whose goal is 1 ms), and the
 * second apply, which does nothing. The argument is the number of workers beside three masters (DESIGN §9 speaks of
 * 1,000 machines). Prints; asserts nothing.
 */
import { answerFile } from '../faults/answer-file.ts';
import { World } from '../faults/harness.ts';
import { row, say } from './table.ts';

const workers = Number(process.argv[2] ?? 997);
const machines = workers + 3;

/** Says how far the creation has come, each twentieth of it: it may take minutes. */
async function tellProgress(world: World, steps: number): Promise<void> {
  let ended = 0;
  await world.run(
    world.request((engine) =>
      engine.subscribe((item) => {
        if (item.type !== 'event' || item.event.type !== 'step.ended') return;
        ended += 1;
        if (ended % Math.ceil(steps / 20) === 0) say(`${ended} of ${steps} steps have ended`);
      }),
    ),
  );
}

const world = new World({});
try {
  await world.open();
  const text = answerFile({ workers });
  say(`planning ${machines} machines`);
  const planStart = performance.now();
  const plan = await world.run(
    world.request((engine) => engine.plan({ text, file: 'bench.yaml', principal: 'bench' })),
  );
  const planTime = performance.now() - planStart;
  row(`plan of ${machines} machines through the engine, with its look`, `${planTime.toFixed(0)} ms`);
  const steps = plan.plans[0]?.plan.steps.length ?? 0;
  await tellProgress(world, steps);
  say(`creating them in the model: ${steps} steps`);
  const before = process.cpuUsage();
  const view = await world.run(world.apply(text, 'bench'));
  const { user, system } = process.cpuUsage(before);
  if (view?.state !== 'succeeded') throw new Error(view?.problem?.summary ?? 'the creation did not end well');
  row(
    `CPU a step of ${steps}, ${machines} machines: daemon, agent and model together`,
    `${((user + system) / 1000 / Math.max(1, steps)).toFixed(2)} ms`,
  );
  say('applying the same file once more');
  const again = performance.now();
  await world.run(world.apply(text, 'again'));
  row(
    `second apply at ${machines} machines: nothing to do`,
    `${(performance.now() - again).toFixed(0)} ms, 0 steps`,
  );
} finally {
  world.close();
}
