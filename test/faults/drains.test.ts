import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import { cordonAnnotation } from '../../provisioners/kubernetes/node-mark.ts';
import { budget, workload } from '../fleet/drain-bench.ts';
import { field } from '../fleet/model/kubernetes.ts';
import { podsIn } from '../fleet/model/pods.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** A cluster of one master and two workers, with what users run on it. */
async function openWith(...objects: readonly KubernetesObject[]): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters: 1, workers: 2 }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  const [cluster] = world.fleet.clusters.values();
  for (const object of objects) cluster?.objects.apply(object, world.clock.milliseconds(), 'kubectl');
  // The model's scheduler works when somebody asks for pods.
  if (cluster !== undefined) podsIn(world.fleet, cluster);
  await world.run(world.clock.sleep(30_000));
  return world;
}

function nodeIn(world: World, name: string): KubernetesObject {
  const [cluster] = world.fleet.clusters.values();
  const node = cluster?.objects.get({ apiVersion: 'v1', kind: 'Node', name });
  if (node === undefined) throw new Error(`there is no Node ${name}`);
  return node;
}

const isCordoned = (world: World, name: string): boolean =>
  field(nodeIn(world, name), 'spec', 'unschedulable') === true;

/** Pods on both workers, of which none may go. */
const stubborn = [workload('Deployment', 'web', 4), budget('web', { minAvailable: 4 })];

async function removing(world: World, name: string): Promise<OperationView> {
  const change = { kind: 'remove', machines: [name], mode: 'destroy' } as const;
  const answer = await world.run(
    world.request((engine) => engine.machines.change({ cluster: 'demo', principal: 'tester', change })),
  );
  const [operation] = answer.operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

const waitOf = async (world: World, id: string): Promise<string> => {
  const detail = await world.run(world.request((engine) => engine.getOperation(id)));
  return JSON.stringify(detail.stepList.find(({ state }) => state === 'running')?.waiting);
};

describe('an operation that drains (complaints 9, 10)', () => {
  it('names the budget that holds it, and goes on by itself when that yields', async () => {
    const world = await openWith(...stubborn);
    const operation = await removing(world, 'demo-general-2');
    await world.run(world.clock.sleep(120_000));
    expect(await waitOf(world, operation.id)).toContain('PodDisruptionBudget shop/web');
    const [cluster] = world.fleet.clusters.values();
    cluster?.objects.apply(workload('Deployment', 'web', 6), world.clock.milliseconds(), 'kubectl');
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations).toEqual([]);
  });

  it('lets pods onto the node again when somebody cancels it', async () => {
    const world = await openWith(...stubborn);
    const operation = await removing(world, 'demo-general-2');
    await world.run(world.clock.sleep(120_000));
    expect(isCordoned(world, 'demo-general-2')).toBe(true);
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    expect((await world.run(world.ended(operation.id))).state).toBe('cancelled');
    expect(isCordoned(world, 'demo-general-2')).toBe(false);
    expect(nodeIn(world, 'demo-general-2').metadata.annotations?.[cordonAnnotation]).toBeUndefined();
  });

  it('fails at its limit with the pod and the budget named, the node open again, and resumes', async () => {
    const world = await openWith(...stubborn);
    const operation = await removing(world, 'demo-general-2');
    const failed = await world.run(world.ended(operation.id));
    expect(failed.state).toBe('failed');
    expect(failed.problem?.summary).toMatch(/shop\/web/);
    expect(isCordoned(world, 'demo-general-2')).toBe(false);
    const detail = await world.run(world.request((engine) => engine.getOperation(operation.id)));
    expect(detail.stepList.find(({ kind }) => kind === 'node.drain')?.state).toBe('failed');
    const [cluster] = world.fleet.clusters.values();
    cluster?.objects.apply(workload('Deployment', 'web', 6), world.clock.milliseconds(), 'kubectl');
    await world.run(world.request((engine) => engine.resumeOperation(operation.id, 'tester')));
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations).toEqual([]);
  });

  it('sends away whom it was to, also when somebody asks for the same machine meanwhile', async () => {
    const world = await openWith(...stubborn);
    const first = await removing(world, 'demo-general-1');
    await world.run(world.clock.sleep(60_000));
    const change = { kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' } as const;
    const asked = { cluster: 'demo', principal: 'tester', change };
    const { operations } = await world.run(world.request((engine) => engine.machines.change(asked)));
    // The daemon plans anew on what is written down: who leaves must still be the same.
    world.kill(['daemon']);
    await world.run(world.clock.sleep(60_000));
    const [cluster] = world.fleet.clusters.values();
    cluster?.objects.apply(workload('Deployment', 'web', 6), world.clock.milliseconds(), 'kubectl');
    for (const { id } of [first, ...operations]) {
      const ended = await world.run(world.ended(id));
      expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    }
    expect([...(cluster?.machines.keys() ?? [])].sort()).toEqual(['demo-cp-1', 'demo-general-2']);
  });

  it('leaves a cordon of somebody else where it is', async () => {
    const world = await openWith(...stubborn);
    const [cluster] = world.fleet.clusters.values();
    const node = { apiVersion: 'v1', kind: 'Node', name: 'demo-general-2' };
    cluster?.objects.patch(node, { spec: { unschedulable: true } }, { manager: 'kubectl-cordon' });
    const operation = await removing(world, 'demo-general-2');
    await world.run(world.clock.sleep(120_000));
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    expect((await world.run(world.ended(operation.id))).state).toBe('cancelled');
    expect(isCordoned(world, 'demo-general-2')).toBe(true);
  });

  it('ends within a minute or so when it is cancelled and the cluster does not answer', async () => {
    const world = await openWith(...stubborn);
    const operation = await removing(world, 'demo-general-2');
    await world.run(world.clock.sleep(60_000));
    const [cluster] = world.fleet.clusters.values();
    const master = cluster?.machines.get('demo-cp-1');
    if (master === undefined) throw new Error('there is no master');
    world.fleet.setPower(master, 'off');
    const before = world.clock.milliseconds();
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    expect((await world.run(world.ended(operation.id))).state).toBe('cancelled');
    expect(world.clock.milliseconds() - before).toBeLessThan(180_000);
  });
});
