import { afterEach, describe, expect, it } from 'vitest';
import type { OperationDetail, OperationView } from '../../daemon/operations/answers.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import { budget, workload } from '../fleet/drain-bench.ts';
import { field } from '../fleet/model/kubernetes.ts';
import { podsIn } from '../fleet/model/pods.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** A cluster of one master and three workers under the rules given. */
async function openWith(maintenance: string, ...objects: readonly KubernetesObject[]): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters: 1, workers: 3, maintenance }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  const [cluster] = world.fleet.clusters.values();
  for (const object of objects) cluster?.objects.apply(object, world.clock.milliseconds(), 'kubectl');
  if (cluster !== undefined) podsIn(world.fleet, cluster);
  await world.run(world.clock.sleep(30_000));
  return world;
}

/** The kubelets of some machines stop, or are started again: their Nodes are not Ready meanwhile. */
function setKubelets(world: World, names: readonly string[], active: boolean): void {
  const [cluster] = world.fleet.clusters.values();
  for (const name of names) {
    const kubelet = cluster?.machines.get(name)?.services.get('kubelet');
    if (kubelet === undefined) throw new Error(`there is no kubelet on ${name}`);
    kubelet.active = active;
  }
}

async function sendingAway(
  world: World,
  kind: 'remove' | 'replace',
  machine: string,
): Promise<OperationView> {
  const change = { kind, machines: [machine], mode: 'destroy' } as const;
  const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', change };
  const { operations } = await world.run(world.request((engine) => engine.machines.change(asked)));
  const [operation] = operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

const detailOf = (world: World, id: string): Promise<OperationDetail> =>
  world.run(world.request((engine) => engine.getOperation(id)));

const isCordoned = (world: World, name: string): boolean => {
  const [cluster] = world.fleet.clusters.values();
  const node = cluster?.objects.get({ apiVersion: 'v1', kind: 'Node', name });
  return node !== undefined && field(node, 'spec', 'unschedulable') === true;
};

describe('spec.maintenance.minimumReady (V9)', () => {
  it('closes no machine while too few of its group are Ready, says which are not, and goes on when they are', async () => {
    const world = await openWith('{ minimumReady: 100% }');
    // Removing one asks for two; of the two that would stay none is well.
    setKubelets(world, ['demo-general-1', 'demo-general-2'], false);
    const operation = await sendingAway(world, 'remove', 'demo-general-3');
    await world.run(world.clock.sleep(120_000));
    const { plan, stepList } = await detailOf(world, operation.id);
    expect(plan.notices.join('\n')).toContain('0 of demo-general would serve, and 2 must');
    const waiting = JSON.stringify(stepList.find(({ kind }) => kind === 'node.cordon')?.waiting);
    expect(waiting).toContain('2 other machines of demo-general to be Ready');
    expect(waiting).toContain('demo-general-1 (');
    expect(waiting).toContain('demo-general-2 (');
    expect(isCordoned(world, 'demo-general-3')).toBe(false);
    setKubelets(world, ['demo-general-1'], true);
    await world.run(world.clock.sleep(120_000));
    expect(isCordoned(world, 'demo-general-3')).toBe(false);
    setKubelets(world, ['demo-general-2'], true);
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations).toEqual([]);
  });

  it('looks just before: those that fail after the plan was made hold the next one', async () => {
    const world = await openWith('{ minimumReady: 100% }');
    const operation = await sendingAway(world, 'replace', 'demo-general-3');
    expect((await detailOf(world, operation.id)).plan.notices.join()).not.toContain('would serve');
    setKubelets(world, ['demo-general-1'], false);
    await world.run(world.clock.sleep(600_000));
    const { stepList } = await detailOf(world, operation.id);
    const cordon = stepList.find(({ kind }) => kind === 'node.cordon');
    // The new one has come and serves, and the old one may not go all the same.
    expect(stepList.find(({ id }) => id === 'node.label/demo-general-4')?.state).toBe('succeeded');
    expect(JSON.stringify(cordon?.waiting)).toContain('demo-general-1 (');
    expect(isCordoned(world, 'demo-general-3')).toBe(false);
    world.kill(['daemon', 'agent']);
    await world.run(world.clock.sleep(120_000));
    expect(isCordoned(world, 'demo-general-3')).toBe(false);
    setKubelets(world, ['demo-general-1'], true);
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations).toEqual([]);
  });
});

describe('spec.maintenance.drain (complaint 10)', () => {
  const stubborn = [workload('Deployment', 'web', 6), budget('web', { minAvailable: 6 })];

  it('force deletes past the budget after the time that was given for it to yield', async () => {
    const world = await openWith('{ drain: { whenBlocked: force, forceAfter: 10m } }', ...stubborn);
    const operation = await sendingAway(world, 'remove', 'demo-general-3');
    await world.run(world.clock.sleep(480_000));
    expect((await detailOf(world, operation.id)).state).toBe('running');
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  });

  it('skip leaves the pods on the machine and says so', async () => {
    const world = await openWith('{ drain: { whenBlocked: skip, forceAfter: 1m } }', ...stubborn);
    const operation = await sendingAway(world, 'remove', 'demo-general-3');
    expect((await world.run(world.ended(operation.id))).state, world.explain()).toBe('succeeded');
    const { stepList } = await detailOf(world, operation.id);
    const facts = JSON.stringify(stepList.find(({ kind }) => kind === 'node.drain')?.facts);
    expect(facts).toContain('shop/web');
  });

  it('of one that is under way is changed by applying it and cancelling: who was to leave still leaves', async () => {
    const world = await openWith('{}', ...stubborn);
    const operation = await sendingAway(world, 'remove', 'demo-general-1');
    await world.run(world.clock.sleep(120_000));
    expect(isCordoned(world, 'demo-general-1')).toBe(true);
    const maintenance = '{ drain: { whenBlocked: force, forceAfter: 1m } }';
    const text = answerFile({ masters: 1, workers: 2, maintenance });
    const asked = { text, file: 'cluster.yaml', principal: 'tester' };
    const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
    expect(operations[0]?.waitingFor).toBe('operation');
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    const ended = await world.run(world.ended(operations[0]?.id ?? ''));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const [cluster] = world.fleet.clusters.values();
    expect([...(cluster?.machines.keys() ?? [])].sort()).toEqual([
      'demo-cp-1',
      'demo-general-2',
      'demo-general-3',
    ]);
  });
});
