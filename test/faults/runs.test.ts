import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../fleet/model/faults.ts';
import { runSeed } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

const seed = runSeed();
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function open(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  return world;
}

const names = ['demo-cp-1', 'demo-cp-2', 'demo-cp-3', 'demo-general-1', 'demo-general-2'];
const machine = fc.constantFrom(...names);
const joiner = fc.constantFrom('demo-cp-2', 'demo-cp-3');
const moment = fc.integer({ min: 0, max: 120_000 });

/** Faults that a person can repair or that pass by themselves. */
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('line-cut' as const),
    machine,
    from: moment,
    to: moment.map((at) => at + 60_000),
  }),
  fc.record({ kind: fc.constant('machine-dies' as const), machine, at: moment }),
  fc.record({
    kind: fc.constant('machine-dies' as const),
    machine,
    at: moment,
    back: moment.map((at) => at + 120_000),
  }),
  fc.record({
    kind: fc.constant('lost-answer' as const),
    call: fc.constantFrom(
      'provider.create',
      'kubeadm.start',
      'file.write',
      'kubernetes.apply',
      'provider.prepare',
    ),
    nth: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant('slow' as const), machine, factor: fc.constantFrom(2, 4) }),
  fc.record({ kind: fc.constant('disk-full' as const), machine }),
  fc.record({ kind: fc.constant('clock-offset' as const), machine, seconds: fc.constantFrom(-4000, 4000) }),
  fc.record({
    kind: fc.constant('joiner-never-starts' as const),
    machine: joiner,
    times: fc.constant(1),
  }),
  fc.record({
    kind: fc.constant('not-found-after-create' as const),
    machine,
    for: fc.constantFrom(5000, 60_000),
  }),
  fc.record({ kind: fc.constant('corrupt-payload' as const), machine, times: fc.constant(1) }),
  fc.record({ kind: fc.constant('static-pod-rejected' as const), machine: joiner }),
);

/** Found by chance once. */
const examples: [Fault[]][] = [
  // The workers' kubelets have just started when the only API server dies: their joins leave no kubeconfig.
  [[{ kind: 'machine-dies', machine: 'demo-cp-1', at: 47_503 }]],
  // The second master dies as it joins, and back again its kubelet rejects etcd's pod: nobody sees the cluster (1.20.2).
  [
    [
      { kind: 'static-pod-rejected', machine: 'demo-cp-2' },
      { kind: 'machine-dies', machine: 'demo-cp-2', at: 54_339 },
    ],
  ],
  // The third master is ready first and joins as the second member: without it etcd has no quorum until it is mended.
  [
    [
      { kind: 'slow', machine: 'demo-cp-2', factor: 2 },
      { kind: 'joiner-never-starts', machine: 'demo-cp-3', times: 1 },
    ],
  ],
];

describe('runs on the fleet', () => {
  it('a second apply of the same file makes 0 mutating calls (DESIGN §9)', async () => {
    const world = await open();
    const first = await world.run(world.apply(answerFile(), 'first'));
    expect(first?.state, world.explain()).toBe('succeeded');
    const before = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(answerFile(), 'second'))).toBeUndefined();
    expect(world.fleet.mutatingCalls - before).toBe(0);
    expect(world.fleet.violations).toEqual([]);
  });

  it('a lossy, repeating wire changes nothing of the end (DESIGN §5)', async () => {
    const world = await open({ wire: { loss: 0.1, repeat: 0.1 }, seed });
    const made = await world.run(world.apply(answerFile(), 'create'));
    expect(made?.state, `REMUDA_SEED=${seed}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations).toEqual([]);
  });

  it('ends well or says truly why not, and after the repair resume succeeds (complaints 2, 3, 5)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 2 }), async (faults) => {
        const world = await open({ faults });
        try {
          let view = await world.run(world.apply(answerFile(), 'create'));
          if (view?.state !== 'succeeded') {
            expect(view?.state, world.explain()).toBe('failed');
            expect(view?.isResumable).toBe(true);
            expect(view?.problem?.kind).not.toBe('fault');
            expect(view?.problem?.summary).toMatch(/\S/);
            expect(view?.problem?.remedy).toMatch(/\S/);
            world.fleet.repair();
            await world.run(world.clock.sleep(120_000));
            const id = view?.id ?? '';
            await world.run(world.request((engine) => engine.resumeOperation(id, 'tester')));
            view = await world.run(world.ended(id));
          }
          expect(view?.state, `${view?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
          expect(world.fleet.violations, world.explain()).toEqual([]);
        } finally {
          world.close();
          worlds.splice(0);
        }
      }),
      { seed, numRuns: process.env['REMUDA_RING'] === 'full' ? 1000 : 40, examples },
    );
  }, 600_000);
});
