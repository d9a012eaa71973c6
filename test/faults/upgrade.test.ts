import { afterEach, describe, expect, it } from 'vitest';
import type { MachineChange } from '../../daemon/planning/machine-change.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { Fault } from '../fleet/model/faults.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function openAt(
  version: string,
  size: { readonly masters: number; readonly workers: number },
  options: WorldOptions = {},
): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ ...size, version }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

async function upgraded(
  world: World,
  size: { readonly masters: number; readonly workers: number },
): Promise<OperationView> {
  const text = answerFile({ ...size, version: '1.20.3' });
  const answer = await world.run(
    world.request((engine) =>
      engine.apply({ text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] }),
    ),
  );
  const [operation] = answer.operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return world.run(world.ended(operation.id));
}

async function versionsOf(world: World): Promise<string[]> {
  const { nodes = [] } = await world.run(world.request((engine) => engine.observe('demo')));
  return [...new Set(nodes.map(({ kubeletVersion }) => kubeletVersion))];
}

describe('an upgrade by replacement, on the fleet (C3)', () => {
  it.each([
    { masters: 1, workers: 2 },
    { masters: 3, workers: 2 },
  ])('$masters masters and $workers workers, each for a new one', async (size) => {
    const world = await openAt('1.20.2', size);
    const ended = await upgraded(world, size);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations, world.explain()).toEqual([]);
    expect(await versionsOf(world)).toEqual(['v1.20.3']);
  });

  it.each<Fault[]>([
    [{ kind: 'machine-dies', machine: 'demo-cp-4', at: 130_000, back: 500_000 }],
    [{ kind: 'machine-dies', machine: 'demo-general-1', at: 130_000 }],
    [{ kind: 'joiner-never-starts', machine: 'demo-cp-5', times: 1 }],
  ])('although %j', async (fault) => {
    const size = { masters: 3, workers: 2 };
    const world = await openAt('1.20.2', size, { faults: [fault] });
    let ended = await upgraded(world, size);
    if (ended.state !== 'succeeded') {
      expect(ended.isResumable, ended.problem?.summary).toBe(true);
      expect(ended.problem?.kind).not.toBe('fault');
      world.fleet.repair();
      await world.run(world.clock.sleep(120_000));
      await world.run(world.request((engine) => engine.resumeOperation(ended.id, 'tester')));
      ended = await world.run(world.ended(ended.id));
    }
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations, world.explain()).toEqual([]);
    expect(await versionsOf(world)).toEqual(['v1.20.3']);
  });
});

describe('a machine that gets the name of one that is gone (complaints 1 and 14)', () => {
  it.each(['demo-cp-1', 'demo-general-1'])(
    '%s does not inherit a pod that waited for its name',
    async (name) => {
      const size = { masters: 1, workers: 1 };
      const world = await openAt('1.20.2', size);
      const change = { kind: 'replace', machines: [name], mode: 'destroy' } as const;
      const request = { cluster: 'demo', principal: 'tester', change, confirm: 'demo' };
      const { operations } = await world.run(world.request((engine) => engine.machines.change(request)));
      expect((await world.run(world.ended(operations[0]?.id ?? ''))).state).toBe('succeeded');
      // The DaemonSet's controller had not heard yet that the Node is gone.
      const [cluster] = world.fleet.clusters.values();
      cluster?.objects.apply(
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: 'kube-proxy-g6wx9',
            namespace: 'kube-system',
            labels: { 'k8s-app': 'kube-proxy' },
          },
          spec: {
            nodeName: name,
            containers: [{ name: 'kube-proxy', image: 'k8s.gcr.io/kube-proxy:v1.20.2' }],
          },
        },
        world.fleet.now,
      );
      const ended = await upgraded(world, size);
      expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
      const { nodes = [] } = await world.run(world.request((engine) => engine.observe('demo')));
      expect(nodes.map((node) => node.name)).toContain(name);
      expect(world.fleet.violations, world.explain()).toEqual([]);
    },
    240_000,
  );
});

describe('the way back, on the fleet (C3)', () => {
  const size = { masters: 3, workers: 1 };
  const phaseOf = async (world: World): Promise<string> =>
    (await world.run(world.request((engine) => engine.getCluster('demo')))).phase;

  async function changed(world: World, change: MachineChange): Promise<OperationView> {
    const request = { cluster: 'demo', principal: 'tester', change, confirm: 'demo' };
    const { operations } = await world.run(world.request((engine) => engine.machines.change(request)));
    const [operation] = operations;
    if (operation === undefined) throw new Error('nothing was begun');
    return world.run(world.ended(operation.id));
  }

  async function finalized(world: World): Promise<OperationView> {
    const request = { cluster: 'demo', principal: 'tester', confirm: 'demo' };
    const intent = { kind: 'finalize' } as const;
    const { operation } = await world.run(
      world.request((engine) => engine.dayTwo.start({ ...request, intent })),
    );
    if (operation === undefined) throw new Error('nothing was begun');
    return world.run(world.ended(operation.id));
  }

  it('an upgrade waits to be finalized, goes back on the kept masters, and can be made again', async () => {
    const world = await openAt('1.20.2', size);
    const up = await changed(world, { kind: 'upgrade', version: '1.20.3' });
    expect(up.state, `${up.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(await phaseOf(world)).toBe('AwaitingFinalize');
    const back = await changed(world, { kind: 'back' });
    expect(back.state, `${back.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect([await versionsOf(world), await phaseOf(world)]).toEqual([['v1.20.2'], 'Ready']);
    const { nodes = [] } = await world.run(world.request((engine) => engine.observe('demo')));
    const masters = nodes.filter(({ controlPlane }) => controlPlane).map(({ name }) => name);
    expect(masters.toSorted()).toEqual(['demo-cp-1', 'demo-cp-2', 'demo-cp-3']);
    const again = await changed(world, { kind: 'upgrade', version: '1.20.3' });
    expect(again.state, `${again.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const ended = await finalized(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect([await versionsOf(world), await phaseOf(world)]).toEqual([['v1.20.3'], 'Ready']);
    const { machines = [] } = await world.run(world.request((engine) => engine.observe('demo')));
    expect(machines).toHaveLength(4);
    expect(world.fleet.violations, world.explain()).toEqual([]);
    await expect(changed(world, { kind: 'back' })).rejects.toThrow('no upgrade to go back from');
  });
});
