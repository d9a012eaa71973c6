import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { placeWorkload } from '../fleet/model/controllers.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const listsSchema = z.object({
  gone: z.array(z.object({ type: z.string(), name: z.string() })),
  kept: z.array(z.object({ type: z.string(), id: z.string(), policy: z.string() })),
  left: z.array(z.object({ type: z.string(), name: z.string(), why: z.string() })),
});
type Lists = z.infer<typeof listsSchema>;

/** A world with a cluster in it that somebody uses. */
async function inUse(
  options: WorldOptions = {},
  size: Parameters<typeof answerFile>[0] = { masters: 1, workers: 1 },
): Promise<{ readonly world: World; readonly cluster: ModelCluster }> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  expect((await world.run(world.apply(answerFile(size), 'create')))?.state, world.explain()).toBe(
    'succeeded',
  );
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('no cluster was made');
  placeWorkload(world.fleet, cluster, 'demo-general-1');
  return { world, cluster };
}

async function listsOf(world: World, { id, state, problem }: OperationView): Promise<Lists> {
  expect(state, `${problem?.code} ${problem?.summary}\n${world.explain()}`).toBe('succeeded');
  const { stepList } = await world.run(world.request((engine) => engine.getOperation(id)));
  return listsSchema.parse(stepList.find(({ kind }) => kind === 'teardown.prove')?.facts);
}

const deleteWith = (
  world: World,
  wish: { readonly volumes?: 'retain' | 'delete'; readonly whenBlocked?: 'wait' | 'skip' } = {},
): Promise<OperationView> =>
  world.run(
    (async () => {
      for (const cluster of world.fleet.clusters.values()) cluster.isGoing = true;
      const asked = { name: 'demo', principal: 'tester', confirm: 'demo', ...wish };
      const operation = await world.request((engine) => engine.deleteCluster(asked));
      return world.ended(operation.id);
    })(),
  );

const violationsOf = (world: World): readonly string[] =>
  world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`);

describe('what a cluster has outside of its machines (DESIGN §6, complaint 16)', () => {
  it('retain: the balancer is given back, the volume is detached, kept, and named with its handle', async () => {
    const { world, cluster } = await inUse();
    const lists = await listsOf(world, await deleteWith(world));
    expect(lists.left).toEqual([]);
    expect(lists.kept).toMatchObject([
      { type: 'volume', id: 'disk-demo', policy: 'deletion.volumes: retain' },
    ]);
    expect(lists.gone.map(({ type }) => type).toSorted()).toEqual(['load balancer', 'machine', 'machine']);
    expect([...cluster.made.keys()]).toEqual(['disk-demo']);
    expect(violationsOf(world)).toEqual([]);
    // Whoever looks for it when the cluster is long gone finds what it was, whose, and why it is there.
    expect(world.daemon?.state.leftovers.list()).toMatchObject([
      {
        cluster: 'demo',
        provider: 'lab',
        principal: 'tester',
        list: 'kept',
        type: 'volume',
        id: 'disk-demo',
        name: 'disk-demo (disk.model; pv-1 of claim shop/data)',
        why: 'deletion.volumes: retain',
      },
    ]);
  });

  it('delete: its provisioner removes the volume before any machine goes', async () => {
    const { world, cluster } = await inUse();
    const lists = await listsOf(world, await deleteWith(world, { volumes: 'delete' }));
    expect(lists).toMatchObject({ kept: [], left: [] });
    expect(lists.gone.map(({ type }) => type)).toContain('volume');
    expect([...cluster.made]).toEqual([]);
    expect(violationsOf(world)).toEqual([]);
  });

  it('delete: a volume that somebody marked Retain stays all the same', async () => {
    const { world, cluster } = await inUse();
    placeWorkload(world.fleet, cluster, 'demo-general-1', 'Retain');
    const lists = await listsOf(world, await deleteWith(world, { volumes: 'delete' }));
    expect(lists.kept).toMatchObject([{ id: 'disk-demo', policy: 'persistentVolumeReclaimPolicy: Retain' }]);
    expect([...cluster.made.keys()]).toEqual(['disk-demo']);
  });

  it('a worker that is off ends none of its pods: its claims go all the same, and the volume is kept', async () => {
    const { world, cluster } = await inUse();
    world.fleet.addFault({ kind: 'machine-dies', machine: 'demo-general-1', at: world.fleet.elapsed });
    await world.run(world.clock.sleep(120_000));
    const lists = await listsOf(world, await deleteWith(world));
    expect(lists).toMatchObject({ kept: [{ id: 'disk-demo' }], left: [] });
    expect([...cluster.made.keys()]).toEqual(['disk-demo']);
    expect(violationsOf(world)).toEqual([]);
  });

  it('a dead API: straight to the provider, which knows both by their tags; the volume stays', async () => {
    const { world, cluster } = await inUse();
    world.fleet.addFault({ kind: 'machine-dies', machine: 'demo-cp-1', at: world.fleet.elapsed });
    await world.run(world.clock.sleep(60_000));
    const planned = await world.run(
      world.request((engine) => engine.planDelete({ name: 'demo', principal: 'tester' })),
    );
    expect(planned.plans[0]?.text).toContain('Services and volume claims cannot be looked at');
    const lists = await listsOf(world, await deleteWith(world));
    expect(lists.left).toEqual([]);
    expect(lists.kept).toMatchObject([{ type: 'disk', id: 'disk-demo' }]);
    expect([...cluster.made.keys()]).toEqual(['disk-demo']);
  });
});

describe('a finalizer that never comes off (complaint 1)', () => {
  const stays = { kind: 'finalizer-stays', machine: 'web' } as const;

  it('names object, finalizer and controller; skip goes on, and the ledger still finds the balancer', async () => {
    const { world, cluster } = await inUse({ faults: [stays] });
    const { id, state, stepList } = await world.run(
      (async () => {
        const operation = await world.request((engine) =>
          engine.deleteCluster({ name: 'demo', principal: 'tester', confirm: 'demo' }),
        );
        // Twice as long as somebody who skips would wait.
        await world.clock.sleep(1_200_000);
        return world.request((engine) => engine.getOperation(operation.id));
      })(),
    );
    const { waiting } = stepList.find(({ kind }) => kind === 'services.release') ?? {};
    expect([state, waiting?.lastSeen]).toEqual([
      'running',
      expect.stringMatching(
        /Service shop\/web .*service\.kubernetes\.io\/load-balancer-cleanup \(the cloud controller manager\)/,
      ),
    ]);
    expect(waiting?.youCould).toContain('--when-blocked skip');
    expect(cluster.machines.size).toBe(2);
    await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
    await world.run(world.ended(id));
    // The cluster lives on: new Services are taken again.
    expect(cluster.objects.list('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration')).toEqual(
      [],
    );
    const lists = await listsOf(world, await deleteWith(world, { whenBlocked: 'skip' }));
    expect(lists.left).toEqual([]);
    expect([...cluster.made.keys()]).toEqual(['disk-demo']);
  });

  it('skip waits as long as the document says before it goes on', async () => {
    const { world, cluster } = await inUse({ faults: [stays] });
    const since = world.fleet.now;
    const lists = await listsOf(world, await deleteWith(world, { whenBlocked: 'skip' }));
    expect(lists.left).toEqual([]);
    expect(world.fleet.now - since).toBeGreaterThan(600_000);
    expect(cluster.machines.size).toBe(0);
  });

  it('does not go on when the cluster was protected meanwhile, and says what to do', async () => {
    const { world } = await inUse({ faults: [stays] });
    const id = await world.run(
      (async () => {
        const operation = await world.request((engine) =>
          engine.deleteCluster({ name: 'demo', principal: 'tester', confirm: 'demo' }),
        );
        await world.clock.sleep(60_000);
        await world.request((engine) => engine.cancelOperation(operation.id, 'tester'));
        await world.ended(operation.id);
        return operation.id;
      })(),
    );
    const text = answerFile({ masters: 1, workers: 1 }).replace('protected: false', 'protected: true');
    await world.run(world.apply(text, 'protect'));
    const refused = (asked: Promise<unknown>): Promise<unknown> =>
      world.run(asked.then(() => 'done').catch((error: unknown) => String(error)));
    const again = { name: 'demo', principal: 'tester', confirm: 'demo' };
    for (const ask of [
      () => world.request((engine) => engine.resumeOperation(id, 'tester')),
      () => world.request((engine) => engine.deleteCluster(again)),
    ])
      expect(await refused(ask())).toContain('cluster demo is protected from deletion');
  });
});
