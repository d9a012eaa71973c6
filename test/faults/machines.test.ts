import { afterEach, describe, expect, it } from 'vitest';
import type { MachineChange } from '../../daemon/planning/machine-change.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import type { Fault } from '../fleet/model/faults.ts';
import type { ModelMachine } from '../fleet/model/machine.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** A world with a finished cluster of so many masters and workers. */
async function openWith(masters: number, workers: number, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters, workers }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

function clusterOf(world: World): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

function machineOf(world: World, name: string): ModelMachine {
  const machine = clusterOf(world).machines.get(name);
  if (machine === undefined) throw new Error(`there is no machine ${name}`);
  return machine;
}

const namesOf = (world: World): string[] => [...clusterOf(world).machines.keys()].sort();
const votersOf = (world: World): string[] =>
  clusterOf(world)
    .etcd.voters.map(({ machine }) => machine)
    .sort();
const nodesOf = (world: World): string[] =>
  [...clusterOf(world).objects.objects.values()]
    .filter(({ kind }) => kind === 'Node')
    .map(({ metadata }) => metadata.name)
    .sort();

/** Applies, and expects that it ends well with nothing violated, and that nothing is left to do. */
async function applied(world: World, masters: number, workers: number): Promise<void> {
  const text = answerFile({ masters, workers });
  const names = ['demo'];
  const answer = await world.run(
    world.request((engine) =>
      engine.apply({ text, file: 'cluster.yaml', principal: 'tester', confirm: names }),
    ),
  );
  const [operation] = answer.operations;
  if (operation !== undefined) await expectSuccess(world, operation);
  const before = world.fleet.mutatingCalls;
  expect(await world.run(world.apply(text, `again-${masters}-${workers}-${before}`))).toBeUndefined();
  expect(world.fleet.mutatingCalls).toBe(before);
}

async function expectSuccess(world: World, operation: OperationView): Promise<void> {
  const view = await world.run(world.ended(operation.id));
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

async function changed(world: World, change: MachineChange): Promise<OperationView> {
  const answer = await world.run(
    world.request((engine) =>
      engine.machines.change({ cluster: 'demo', principal: 'tester', change, confirm: 'demo' }),
    ),
  );
  const [operation] = answer.operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

const replace = (...machines: string[]): MachineChange => ({ kind: 'replace', machines, mode: 'destroy' });

describe('machines come and go on the fleet', () => {
  it('workers by count: 2 to 4 to 1 (C2)', async () => {
    const world = await openWith(1, 2);
    await applied(world, 1, 4);
    await applied(world, 1, 1);
    expect(namesOf(world)).toEqual(['demo-cp-1', 'demo-general-1']);
    expect(nodesOf(world)).toEqual(['demo-cp-1', 'demo-general-1']);
  });

  it('masters: 1, 3, 5, 3, 1 (C1, complaint 6)', async () => {
    const world = await openWith(1, 1);
    for (const masters of [3, 5, 3, 1]) {
      await applied(world, masters, 1);
      expect(votersOf(world)).toHaveLength(masters);
    }
  });

  it('a worker by name, the others untouched (complaint 18)', async () => {
    const world = await openWith(1, 3);
    const before = world.fleet.births.length;
    await expectSuccess(
      world,
      await changed(world, { kind: 'remove', machines: ['demo-general-2'], mode: 'destroy' }),
    );
    expect(namesOf(world)).toEqual(['demo-cp-1', 'demo-general-1', 'demo-general-3']);
    expect(world.fleet.births.slice(before)).toEqual([]);
  });

  it('the first master is replaced like any other (complaint 7)', async () => {
    const world = await openWith(3, 1);
    await expectSuccess(world, await changed(world, replace('demo-cp-1')));
    expect(votersOf(world)).toEqual(['demo-cp-2', 'demo-cp-3', 'demo-cp-4']);
  });

  it('the only master is replaced', async () => {
    const world = await openWith(1, 1);
    await expectSuccess(world, await changed(world, replace('demo-cp-1')));
    expect(votersOf(world)).toEqual(['demo-cp-2']);
    expect(namesOf(world)).toEqual(['demo-cp-2', 'demo-general-1']);
  });

  it('a dead master is replaced: it leaves before the new one joins (complaint 6)', async () => {
    const world = await openWith(3, 1);
    world.fleet.setPower(machineOf(world, 'demo-cp-2'), 'off');
    await world.run(world.clock.sleep(120_000));
    await expectSuccess(world, await changed(world, replace('demo-cp-2')));
    expect(votersOf(world)).toEqual(['demo-cp-1', 'demo-cp-3', 'demo-cp-4']);
  });

  it('a machine is kept for inspection, sealed off, and does no harm when it is started again', async () => {
    const world = await openWith(3, 2);
    const keep = { kind: 'replace', machines: ['demo-cp-3'], mode: 'keep' } as const;
    await expectSuccess(world, await changed(world, keep));
    expect(namesOf(world)).toContain('demo-cp-3');
    expect(votersOf(world)).toEqual(['demo-cp-1', 'demo-cp-2', 'demo-cp-4']);
    await world.run(world.request((engine) => engine.observe('demo')));
    const { observed } = await world.run(world.request((engine) => engine.getCluster('demo')));
    expect(observed?.retired['demo-cp-3']?.isFenced).toBe(true);
    const kept = machineOf(world, 'demo-cp-3');
    world.fleet.setPower(kept, 'off');
    world.fleet.setPower(kept, 'on');
    await world.run(world.clock.sleep(300_000));
    expect(votersOf(world)).toEqual(['demo-cp-1', 'demo-cp-2', 'demo-cp-4']);
    expect(nodesOf(world)).not.toContain('demo-cp-3');
    expect([...kept.files.keys()].filter((path) => path.startsWith('/etc/kubernetes/pki'))).toEqual([]);
  });

  it('a refused removal changes nothing and names who must be well (complaint 6)', async () => {
    const world = await openWith(3, 1);
    world.fleet.setPower(machineOf(world, 'demo-cp-2'), 'off');
    await world.run(world.clock.sleep(120_000));
    const before = world.fleet.mutatingCalls;
    const asked = { cluster: 'demo', principal: 'tester', change: replace('demo-cp-1'), confirm: 'demo' };
    // Not by way of a patient client: that asks again until it may.
    const refused = world.daemon?.process.run(() => world.daemon?.engine.machines.change(asked));
    await expect(world.run(Promise.resolve(refused))).rejects.toThrow(/not answering: demo-cp-2/);
    expect(world.fleet.mutatingCalls).toBe(before);
  });

  it('a cancelled replacement that has not begun to take the old one away leaves it in place', async () => {
    const world = await openWith(1, 2);
    const operation = await changed(world, replace('demo-general-1'));
    await world.run(world.clock.sleep(3000));
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    expect((await world.run(world.ended(operation.id))).state).toBe('cancelled');
    await applied(world, 1, 2);
    expect(nodesOf(world)).toEqual(['demo-cp-1', 'demo-general-1', 'demo-general-2']);
  });

  it.each(['endpoint.withdraw', 'api-server.stop'])(
    'a master that serves no more since %s leaves, also when it is wanted again after a cancel (complaint 9)',
    async (kind) => {
      const world = await openWith(3, 1);
      const text = answerFile({ masters: 1, workers: 1 });
      const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
      const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
      const id = operations[0]?.id ?? '';
      const isDone = (): Promise<boolean> =>
        world.request(
          (engine) =>
            engine
              .getOperation(id)
              .stepList.some((step) => step.kind === kind && step.state === 'succeeded') === true,
        );
      await world.run(
        (async () => {
          while (!(await isDone())) await world.clock.sleep(50);
        })(),
      );
      await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
      expect((await world.run(world.ended(id))).state).toBe('cancelled');
      await applied(world, 3, 1);
      expect(clusterOf(world).readyMasters(world.fleet.now)).toHaveLength(3);
      for (const { services } of clusterOf(world).readyMasters(world.fleet.now))
        expect(services.get('keepalived')?.active).toBe(true);
    },
  );

  it.each<Fault[]>([
    [{ kind: 'machine-dies', machine: 'demo-cp-4', at: 120_000, back: 400_000 }],
    [{ kind: 'line-cut', machine: 'demo-cp-1', from: 100_000, to: 400_000 }],
    [{ kind: 'joiner-never-starts', machine: 'demo-cp-4', times: 1 }],
    [{ kind: 'lost-answer', call: 'etcd.removeMember', nth: 1 }],
    [{ kind: 'lost-answer', call: 'provider.destroy', nth: 1 }],
  ])('a master is replaced although %j', async (fault) => {
    const world = await openWith(3, 1, { faults: [fault] });
    const operation = await changed(world, replace('demo-cp-1'));
    let view = await world.run(world.ended(operation.id));
    if (view.state !== 'succeeded') {
      expect(view.isResumable, `${view.problem?.summary}`).toBe(true);
      expect(view.problem?.kind).not.toBe('fault');
      world.fleet.repair();
      await world.run(world.clock.sleep(120_000));
      await world.run(world.request((engine) => engine.resumeOperation(operation.id, 'tester')));
      view = await world.run(world.ended(operation.id));
    }
    expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(world.fleet.violations, world.explain()).toEqual([]);
    expect(votersOf(world)).toEqual(['demo-cp-2', 'demo-cp-3', 'demo-cp-4']);
  });
});
