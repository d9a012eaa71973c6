import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];
const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

type Strategy = 'BlueGreen' | 'InPlace';
const size = { masters: 3, workers: 1 };

const fileOf = (version: string, strategy: Strategy, through = ''): string =>
  answerFile({
    ...size,
    version,
    upgrade: `{ strategy: ${strategy}, through: [${through}] }`,
    // The cluster's DNS of this release is the lab's alone.
  }).replace('dns: { enabled: true }', 'dns: { enabled: false }');

async function openAt(version: string, strategy: Strategy, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  world.fleet.cgroupVersion = 2;
  await world.open();
  const made = await world.run(world.apply(fileOf(version, strategy), 'create'));
  expect(made?.state, `${made?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  return world;
}

/** One apply, confirmed once, to its end. */
async function upgraded(world: World, text: string): Promise<OperationView> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'], idempotencyKey: 'up' };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  const [operation] = operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return world.run(world.ended(operation.id));
}

async function expectAt(world: World, version: string, ended: OperationView): Promise<void> {
  expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  const { nodes = [], voters = [] } = await world.run(world.request((engine) => engine.observe('demo')));
  expect(new Set(nodes.map(({ kubeletVersion }) => kubeletVersion))).toEqual(new Set([`v${version}`]));
  expect([nodes.length, voters.length]).toEqual([4, 3]);
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

describe('an upgrade over two minors, on the fleet (C3, H22)', () => {
  it.each<Strategy>(['BlueGreen', 'InPlace'])('%s: one operation, with its stop', async (strategy) => {
    const world = await openAt('1.35.6', strategy);
    const text = fileOf('1.37.1', strategy, '"1.36.3"');
    const plan = await world.run(
      world.request((engine) => engine.plan({ text, file: 'cluster.yaml', principal: 'tester' })),
    );
    expect(plan.needsConfirmation).toEqual(['demo']);
    expect(plan.plans[0]?.text).toMatch(/Goes to 1\.36\.3, then 1\.37\.1/);
    const checks = plan.plans[0]?.plan.steps.filter(({ kind }) => kind === 'payload.preflight') ?? [];
    expect(checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['payload.preflight/1.37.1', 'payload.preflight/cluster']) as string[],
    );
    await expectAt(world, '1.37.1', await upgraded(world, text));
    expect(world.fleet.backups.map(({ manifest }) => manifest.kubernetesVersion)).toEqual([
      'v1.35.6',
      'v1.36.3',
    ]);
    const again = await world.run(world.apply(text, 'again'));
    expect(again).toBeUndefined();
  });

  it('finds that the payload of a later stage is missing before anything moves', async () => {
    const world = await openAt('1.35.6', 'BlueGreen');
    const before = world.fleet.births.length;
    const ended = await upgraded(world, fileOf('1.37.9', 'BlueGreen', '"1.36.3"'));
    expect([ended.state, ended.problem?.summary]).toEqual(['failed', expect.stringMatching(/1\.37\.9/)]);
    expect(world.fleet.births.slice(before)).toEqual([]);
  });

  it('says which stop it lacks, and takes the newest on board when the command asks', async () => {
    const world = await openAt('1.35.6', 'InPlace');
    const asked = world.apply(fileOf('1.37.1', 'InPlace'), 'no stop');
    await expect(world.run(asked)).rejects.toThrow(/by way of which version of 1\.36/);
    const change = { kind: 'upgrade', version: '1.37.1' } as const;
    const ended = await world.run(world.change(change, 'by command'));
    expect(ended?.state, `${ended?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const { desired } = await world.run(world.request((engine) => engine.getCluster('demo')));
    expect(desired).toMatchObject({ spec: { upgrade: { through: ['1.36.3'] } } });
  });

  it.each<Strategy>(['BlueGreen', 'InPlace'])(
    '%s: goes on from wherever it is cut',
    async (strategy) => {
      const text = fileOf('1.37.1', strategy, '"1.36.3"');
      const whole = await openAt('1.35.6', strategy);
      whole.boundaries.begin();
      await upgraded(whole, text);
      const effects = whole.boundaries.crossings.filter(({ kind }) => kind === 'effect');
      const every = effects.flatMap(({ index }) =>
        cutPoints.map((point): Cut => ({ index, point, kill: ['agent', 'daemon'] })),
      );
      const chosen = sample(every, isFull ? 150 : 1, seededRandom(seed));
      console.info(`${chosen.length} of ${every.length} cases (REMUDA_SEED=${seed})`);
      for (const cut of chosen) {
        const world = await openAt('1.35.6', strategy, { cut });
        world.boundaries.begin();
        const ended = await upgraded(world, text);
        expect(ended.state, `seed ${seed}, ${JSON.stringify(cut)}: ${ended.problem?.summary}`).toBe(
          'succeeded',
        );
        await expectAt(world, '1.37.1', ended);
        world.close();
        worlds.splice(worlds.indexOf(world), 1);
      }
    },
    3_600_000,
  );
});
