import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { budget, workload } from '../fleet/drain-bench.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { podsIn } from '../fleet/model/pods.ts';
import { isPodReady } from '../fleet/model/workloads.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const size = { masters: 1, workers: 2 };
const inPlace = (text: string): string =>
  text.replace('  deletion:', '  upgrade: { strategy: InPlace }\n  deletion:');

function clusterOf(world: World): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

/** The smallest cluster that can serve while a worker is away, with a Deployment of two that names one as its least. */
async function openSmall(asWritten = (text: string): string => text): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(asWritten(answerFile({ ...size, version: '1.20.2' })), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  for (const object of [workload('Deployment', 'web', 2), budget('web', { minAvailable: 1 })])
    clusterOf(world).objects.apply(object, world.clock.milliseconds(), 'kubectl');
  podsIn(world.fleet, clusterOf(world));
  await world.run(world.clock.sleep(30_000));
  return world;
}

const servingPods = (world: World): number =>
  podsIn(world.fleet, clusterOf(world)).filter(
    (pod) => pod.metadata.labels?.['app'] === 'web' && isPodReady(pod),
  ).length;

/** Workers that are Ready and take pods. */
const servingWorkers = (world: World): number =>
  clusterOf(world)
    .nodes(world.fleet.now)
    .filter(({ name, isReady, isUnschedulable }) => name.includes('general') && isReady && !isUnschedulable)
    .length;

async function begin(world: World, text: string): Promise<OperationView> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  const [operation] = operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

describe('a small cluster goes on serving while it is upgraded (complaint 11)', () => {
  it.each([
    ['by replacement', (text: string): string => text],
    ['in place', inPlace],
  ])(
    '%s: at every instant a worker takes pods, and the workload has what its budget names',
    async (_how, asWritten) => {
      const world = await openSmall(asWritten);
      const { id } = await begin(world, asWritten(answerFile({ ...size, version: '1.20.3' })));
      const seen = { pods: servingPods(world), workers: servingWorkers(world), looks: 0 };
      const watch = async (): Promise<OperationView> => {
        for (;;) {
          seen.pods = Math.min(seen.pods, servingPods(world));
          seen.workers = Math.min(seen.workers, servingWorkers(world));
          seen.looks += 1;
          const view = await world.request((engine) => engine.getOperation(id));
          if (view.endedAt !== undefined) return view;
          await world.clock.sleep(500);
        }
      };
      const ended = await world.run(watch());
      expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
      expect(seen.looks).toBeGreaterThan(100);
      expect(seen.pods).toBeGreaterThanOrEqual(1);
      expect(seen.workers).toBeGreaterThanOrEqual(1);
      expect(world.fleet.violations, world.explain()).toEqual([]);
    },
  );
});

describe('the way back of a small cluster (complaint 12)', () => {
  it('is a plan that is shown first, and what runs is what was shown, in its order', async () => {
    const world = await openSmall();
    const { id } = await begin(world, answerFile({ ...size, version: '1.20.3' }));
    expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
    const request = { cluster: 'demo', principal: 'tester', change: { kind: 'back' } } as const;
    const before = world.fleet.births.length;
    const shown = await world.run(world.request((engine) => engine.machines.plan(request)));
    const [plan] = shown.plans;
    if (plan === undefined) throw new Error('no plan was shown');
    expect(plan.text).toContain('demo-cp-1');
    expect(world.fleet.births).toHaveLength(before);
    const { operations } = await world.run(
      world.request((engine) =>
        engine.machines.change({ ...request, planHash: shown.hash, confirm: 'demo' }),
      ),
    );
    const back = await world.run(world.ended(operations[0]?.id ?? ''));
    expect(back.state, `${back.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const steps = await world.run(world.request((engine) => engine.getOperation(back.id).stepList));
    expect(steps.map((step) => step.id).toSorted()).toEqual(
      plan.plan.steps.map((step) => step.id).toSorted(),
    );
    const endedAt = new Map(steps.map((step) => [step.id, step.endedAt ?? '']));
    for (const { id: step, after } of plan.plan.steps)
      for (const earlier of after) {
        const startedAt = steps.find((one) => one.id === step)?.startedAt ?? '';
        expect(
          endedAt.get(earlier)?.localeCompare(startedAt),
          `${step} after ${earlier}`,
        ).toBeLessThanOrEqual(0);
      }
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });
});
