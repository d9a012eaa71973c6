import { afterEach, describe, expect, it } from 'vitest';
import { pageOfMachines } from '../../daemon/api/machines.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { Refusal } from '../../daemon/operations/requests.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const lost = 'demo-cp-2';

interface Story {
  readonly world: World;
  readonly cluster: ModelCluster;
  /** The replacement that stopped. */
  readonly operation: OperationView;
  readonly address: string;
}

/** A master that is silent, whatever runs on it, and that its provider cannot destroy; it is to be replaced. */
async function replaceLost(): Promise<Story> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const created = await world.run(world.apply(answerFile({ masters: 3, workers: 1 }), 'create'));
  expect(created?.state, world.explain()).toBe('succeeded');
  const [cluster] = world.fleet.clusters.values();
  const address = cluster?.machines.get(lost)?.address;
  if (cluster === undefined || address === undefined) throw new Error('no such machine was made');
  const { elapsed } = world.fleet;
  world.fleet.addFault({ kind: 'machine-dies', machine: lost, at: elapsed });
  world.fleet.addFault({ kind: 'cannot-destroy', machine: lost });
  await world.run(world.clock.sleep(120_000));
  const change = { kind: 'replace', machines: [lost], mode: 'destroy' } as const;
  const operation = await world.run(world.change(change, 'replace'));
  if (operation === undefined) throw new Error('nothing was begun');
  return { world, cluster, operation, address };
}

const stateFenced = (world: World, confirm?: string): Promise<unknown> =>
  world.run(
    world
      .request((engine) =>
        engine.machines
          .stateFenced({
            cluster: 'demo',
            machine: lost,
            principal: 'tester',
            ...(confirm === undefined ? {} : { confirm }),
          })
          .then(() => 'stated'),
      )
      .catch((error: unknown) => (error instanceof Refusal ? error.report.code : error)),
  );

const resume = (world: World, { id }: OperationView): Promise<OperationView> =>
  world.run(
    (async () => {
      await world.request((engine) => engine.resumeOperation(id, 'tester'));
      return world.ended(id);
    })(),
  );

const machineShown = async (world: World) => {
  const detail = await world.run(world.request((engine) => engine.getCluster('demo')));
  return pageOfMachines(['demo'], () => detail, { limit: 100 }).items.find(({ name }) => name === lost);
};

describe('a machine that cannot be fenced (DESIGN §5)', () => {
  it('is shown as unfenced, nobody comes in its place, and its name and address are not given again', async () => {
    const { world, cluster, operation, address } = await replaceLost();
    expect(operation.state).toBe('failed');
    await world.run(world.request((engine) => engine.observe('demo')));
    expect(await machineShown(world)).toMatchObject({
      departure: 'unfenced',
      unfencedBecause: expect.stringContaining('does not answer its manager'),
    });
    const health = await world.run(
      world.request((engine) => engine.clusterHealth.conditions(uidOf(cluster))),
    );
    expect(health.find(({ type }) => type === 'MachinesFenced')).toMatchObject({
      status: 'False',
      machine: lost,
    });
    // Whoever was to come waits: nothing was made.
    expect([...cluster.machines.keys()].toSorted()).toEqual([
      'demo-cp-1',
      'demo-cp-2',
      'demo-cp-3',
      'demo-general-1',
    ]);
    expect(cluster.machines.get(lost)?.address).toBe(address);
    expect(world.fleet.violations).toEqual([]);
  });

  it('goes on when a person says that it is off; that needs its name, is refused of others, and is recorded', async () => {
    const { world, cluster, operation, address } = await replaceLost();
    expect(await stateFenced(world)).toBe('OPS-019');
    expect(await stateFenced(world, lost)).toBe('stated');
    expect((await resume(world, operation)).state, world.explain()).toBe('succeeded');
    const names = [...cluster.machines.keys()].toSorted();
    expect(names).toEqual(['demo-cp-1', 'demo-cp-2', 'demo-cp-3', 'demo-cp-4', 'demo-general-1']);
    expect(cluster.etcd.voters.map(({ machine }) => machine).toSorted()).toEqual([
      'demo-cp-1',
      'demo-cp-3',
      'demo-cp-4',
    ]);
    expect(cluster.machines.get('demo-cp-4')?.address).not.toBe(address);
    expect((await machineShown(world))?.departure).toBe('kept');
    expect(await stateFenced(world, lost)).toBe('stated');
  });

  it('zombie master returns: its keepalived, kubelet and etcd do no harm, and the next apply makes nothing of it', async () => {
    const { world, cluster, operation } = await replaceLost();
    // The person was wrong: it runs, and is back on the network when another has its place.
    await stateFenced(world, lost);
    await resume(world, operation);
    world.fleet.faults.repairAll();
    for (const machine of world.fleet.machines()) world.fleet.setPower(machine, 'on');
    await world.run(world.clock.sleep(600_000));
    expect(world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`)).toEqual([]);
    expect(cluster.etcd.voters.some(({ machine }) => machine === lost)).toBe(false);
    expect(cluster.etcd.hasQuorum).toBe(true);
    const again = await world.run(world.apply(answerFile({ masters: 3, workers: 1 }), 'again'));
    expect(again?.state ?? 'nothing to do').toBe('nothing to do');
    expect(cluster.nodes(world.fleet.now).some(({ name }) => name === lost)).toBe(false);
  });
});

const uidOf = ({ identity }: ModelCluster): string => identity.uid;
