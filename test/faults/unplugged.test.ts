import { afterEach, describe, expect, it } from 'vitest';
import type { OperationDetail } from '../../daemon/operations/answers.ts';
import { finalState } from '../fleet/final-state.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const text = answerFile();
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

interface Ending {
  readonly state: string;
  readonly births: readonly string[];
}

async function open(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  return world;
}

async function endingOf(world: World): Promise<Ending> {
  // Whatever still runs somewhere comes to its end before the state is compared.
  await world.run(world.clock.sleep(600_000));
  expect(world.fleet.violations, world.explain()).toEqual([]);
  return { state: finalState(world.fleet), births: world.fleet.births.toSorted() };
}

async function undisturbed(): Promise<Ending> {
  const world = await open();
  expect((await world.run(world.apply(text, 'create')))?.state, world.explain()).toBe('succeeded');
  return endingOf(world);
}

const beginCreate = async (world: World): Promise<string> => {
  const { operations } = await world.request((engine) =>
    engine.apply({ text, file: 'cluster.yaml', principal: 'tester', idempotencyKey: 'create' }),
  );
  return operations[0]?.id ?? '';
};

const detailOf = (world: World, id: string): Promise<OperationDetail> =>
  world.request((engine) => engine.getOperation(id));

/**
 * Waits until it is so, in model time, looking every so many milliseconds; says what was there when it never came.
 */
async function until(
  world: World,
  id: string,
  isSo: (detail: OperationDetail) => boolean,
  every = 1000,
): Promise<OperationDetail> {
  for (let looks = 0; looks < 1200; looks += 1) {
    const detail = await detailOf(world, id);
    if (isSo(detail)) return detail;
    await world.clock.sleep(every);
  }
  const { stepList, planNumber, problem } = await detailOf(world, id);
  const rest = stepList.filter(({ state }) => state !== 'succeeded' && state !== 'kept');
  const lines = rest.map(({ id: step, state, waiting }) => `${step} ${state} ${waiting?.what ?? ''}`);
  throw new Error(`plan ${planNumber} ${problem?.summary ?? ''}\n${lines.join('\n')}\n${world.explain()}`);
}

/** Steps of the plan in force that do not come after anything still to be done on the machine: they need not wait. */
function freeOf(detail: OperationDetail, machine: string): string[] {
  const held = new Set<string>();
  const isDone = (id: string): boolean => areDone(detail, [id]);
  const { steps } = detail.plan;
  for (let size = -1; held.size !== size; ) {
    size = held.size;
    for (const { id, subject, after } of steps)
      if (!isDone(id) && (subject === machine || after.some((before) => held.has(before)))) held.add(id);
  }
  return steps.map(({ id }) => id).filter((id) => !held.has(id));
}

const areDone = (detail: OperationDetail, steps: readonly string[]): boolean => {
  const states = new Map(detail.stepList.map(({ id, state }) => [id, state]));
  return steps.every((id) => ['succeeded', 'kept'].includes(states.get(id) ?? ''));
};

/** Far enough for any test: the cable is out until it is plugged in again. */
const never = 1e9;

interface Case {
  readonly machine: string;
  /** The step that has begun when the cable is pulled. */
  readonly during: string;
  /** A step that has ended then. */
  readonly isReady?: string;
  /** A step that must be done, with the cable still out, for the others not to have waited. */
  readonly others: readonly string[];
}

const joins = ['demo-general-1', 'demo-general-2'].map((name) => `worker.join/${name}`);

const cases: readonly Case[] = [
  // Before it was met, and before it was compared with the others.
  {
    machine: 'demo-general-2',
    during: 'host-key.generate/demo-general-2',
    others: ['control-plane.join/demo-cp-3', 'worker.join/demo-general-1'],
  },
  {
    machine: 'demo-general-2',
    during: 'machine.preflight/demo-general-2',
    others: ['control-plane.join/demo-cp-3', 'worker.join/demo-general-1'],
  },
  {
    machine: 'demo-cp-3',
    during: 'host-key.generate/demo-cp-3',
    others: ['control-plane.join/demo-cp-2', ...joins],
  },
  {
    machine: 'demo-general-2',
    during: 'payload.install/demo-general-2',
    others: ['control-plane.join/demo-cp-3', 'worker.join/demo-general-1'],
  },
  {
    machine: 'demo-general-2',
    during: 'worker.join/demo-general-2',
    others: ['control-plane.join/demo-cp-3', 'worker.join/demo-general-1'],
  },
  {
    machine: 'demo-cp-3',
    during: 'payload.install/demo-cp-3',
    others: ['control-plane.join/demo-cp-2', ...joins],
  },
  {
    machine: 'demo-cp-3',
    during: 'control-plane.join/demo-cp-3',
    others: ['control-plane.join/demo-cp-2', ...joins],
  },
  // Masters join in the order in which they are ready: the third does not wait for a silent second.
  ...['host-key.generate', 'payload.install'].map((kind) => ({
    machine: 'demo-cp-2',
    during: `${kind}/demo-cp-2`,
    others: ['control-plane.join/demo-cp-3', ...joins],
  })),
  // Ready, and silent when its turn would come.
  {
    machine: 'demo-cp-2',
    during: 'control-plane.init/demo-cp-1',
    isReady: 'containerd.start/demo-cp-2',
    others: ['control-plane.join/demo-cp-3', ...joins],
  },
];

describe('one unreachable machine does not stop the others (complaint 1)', () => {
  const plain = { value: undefined as Ending | undefined };

  it.each(cases)(
    '$machine unplugged during $during, daemon killed: the others go on; plugged in again it ends as if nothing had been',
    async ({ machine, during, isReady, others }) => {
      plain.value ??= await undisturbed();
      const world = await open();
      const id = await world.run(beginCreate(world));
      const isBegun = (detail: OperationDetail): boolean =>
        detail.stepList.some((step) => step.id === during && step.state === 'running') &&
        (isReady === undefined || areDone(detail, [isReady]));
      await world.run(until(world, id, isBegun, 100));
      world.fleet.addFault({ kind: 'line-cut', machine, from: world.fleet.elapsed, to: never });
      world.kill(['daemon']);
      const planned = await world.run(until(world, id, ({ planNumber }) => planNumber > 1));
      expect(planned.state).toBe('running');
      // The others are through, and what is left says what it waits for.
      const isLeftAlone = (detail: OperationDetail): boolean =>
        areDone(detail, [...others, ...freeOf(detail, machine)]) &&
        detail.stepList.some(({ waiting }) => waiting !== undefined);
      const { stepList } = await world.run(until(world, id, isLeftAlone));
      const running = stepList.filter(({ state }) => state === 'running');
      expect(running.map(({ subject }) => subject)).toEqual(running.map(() => machine));
      world.fleet.faults.repairAll();
      expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
      expect(await endingOf(world)).toEqual(plain.value);
    },
  );

  it('a master unplugged while kubeadm joins it keeps its turn: the next waits for it by name, the workers do not (complaint 5)', async () => {
    plain.value ??= await undisturbed();
    const world = await open();
    const id = await world.run(beginCreate(world));
    const runs = (name: string): number =>
      [...world.fleet.byAddress.values()]
        .filter((machine) => machine.name === name)
        .flatMap(({ units }) => [...units.values()])
        .filter(({ verb }) => verb === 'join').length;
    await world.run(until(world, id, () => runs('demo-cp-2') > 0, 100));
    world.fleet.addFault({
      kind: 'line-cut',
      machine: 'demo-cp-2',
      from: world.fleet.elapsed,
      to: world.fleet.elapsed + 120_000,
    });
    const waits = ({ stepList }: OperationDetail): string =>
      stepList.find((step) => step.id === 'control-plane.join/demo-cp-3')?.waiting?.what ?? '';
    const detail = await world.run(
      until(world, id, (one) => areDone(one, joins) && waits(one).includes('demo-cp-2'), 100),
    );
    expect(waits(detail)).toBe('demo-cp-2 to have joined: masters join one at a time');
    expect(runs('demo-cp-3')).toBe(0);
    expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
    expect(await endingOf(world)).toEqual(plain.value);
  });
});
