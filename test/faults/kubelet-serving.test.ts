import { afterEach, describe, expect, it } from 'vitest';
import { field } from '../fleet/model/kubernetes.ts';
import { canServe, kubeletServingPath } from '../fleet/model/kubelet-serving.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];
const day = 24 * 3_600_000;
const minute = 60_000;

afterEach(() => {
  for (const world of worlds.splice(0)) {
    const { violations } = world.fleet;
    world.close();
    expect(violations).toEqual([]);
  }
});

async function open(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  return world;
}

function clusterOf(world: World): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

const requests = (world: World) =>
  clusterOf(world).objects.list('certificates.k8s.io/v1', 'CertificateSigningRequest');
const decisions = (world: World): unknown[] =>
  requests(world).map((object) => {
    const [condition] = (field(object, 'status', 'conditions') ?? []) as readonly { type: string }[];
    return condition?.type ?? 'open';
  });
const silent = (world: World): string[] =>
  [...clusterOf(world).machines.values()]
    .filter((machine) => !canServe(machine, world.fleet.now))
    .map(({ name }) => name);
const made = (masters = 1, workers = 1): string => answerFile({ masters, workers });

/** Makes what a kubelet serves with end in so many days. */
function age(world: World, days: number): void {
  for (const machine of clusterOf(world).machines.values()) {
    const until = new Date(world.fleet.now + days * day).toISOString();
    const content = `model certificate kubelet/serving of ${machine.name} until ${until}`;
    machine.files.set(kubeletServingPath, { content, mode: 0o600 });
  }
}

describe('kubelets serve with certificates of the cluster (issue 4)', () => {
  it('are approved in creation, when a worker comes, and when a master is replaced', async () => {
    const world = await open();
    expect((await world.run(world.apply(made(3, 1), 'create')))?.state, world.explain()).toBe('succeeded');
    expect(silent(world)).toEqual([]);
    expect(decisions(world)).toEqual(Array.from({ length: 4 }, () => 'Approved'));
    expect((await world.run(world.apply(made(3, 2), 'grow')))?.state).toBe('succeeded');
    expect(silent(world)).toEqual([]);
    const change = { kind: 'replace', machines: ['demo-cp-1'], mode: 'destroy' } as const;
    expect((await world.run(world.change(change, 'replace')))?.state, world.explain()).toBe('succeeded');
    expect(silent(world)).toEqual([]);
    expect(decisions(world)).not.toContain('open');
  });

  it('cut before, in and after each decision, it goes on: each kubelet has its certificate, and none asked twice', async () => {
    const create = async (cut?: Cut): Promise<World> => {
      const world = await open(cut === undefined ? {} : { cut });
      world.boundaries.begin();
      expect((await world.run(world.apply(made(1, 1), 'create')))?.state, world.explain()).toBe('succeeded');
      return world;
    };
    const undisturbed = await create();
    const points = undisturbed.boundaries.crossings
      .filter(({ label }) => label.startsWith('kubernetes.decide'))
      .flatMap(({ index }) => cutPoints.map((point): Cut => ({ index, point, kill: ['agent'] })));
    expect(points).toHaveLength(2 * cutPoints.length);
    for (const cut of points) {
      const world = await create(cut);
      expect(world.deaths, JSON.stringify(cut)).toBe(1);
      expect(silent(world)).toEqual([]);
      expect(decisions(world)).toEqual(['Approved', 'Approved']);
    }
  });

  it('a machine that asks for a foreign address is denied, and the operation says so and what to do', async () => {
    const world = await open();
    await world.run(world.apply(made(1, 1), 'create'));
    world.fleet.addFault({ kind: 'asks-for-foreign', machine: 'demo-general-2', address: '192.0.2.1' });
    const applied = world.apply(made(1, 2), 'grow');
    await world.run(world.clock.sleep(10 * minute));
    const told = await world.run(world.request((engine) => engine.eventsBack(1e9, { limit: 500 })));
    const waits = told.filter(({ type }) => type === 'step.waiting').map(({ data }) => JSON.stringify(data));
    expect(
      waits.find((wait) => wait.includes('192.0.2.1')),
      waits.join('\n'),
    ).toContain('replace the machine');
    expect(silent(world)).toEqual(['demo-general-2']);
    world.fleet.repair();
    const ended = await world.run(applied);
    expect(ended?.state, world.explain()).toBe('succeeded');
    expect(silent(world)).toEqual([]);
  });

  it('a cluster of an earlier release goes on as it is: nobody waits for what its kubelets never ask', async () => {
    const world = await open();
    await world.run(world.apply(made(1, 1), 'create'));
    const cluster = clusterOf(world);
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: 'kube-system',
      name: 'kubelet-config',
    };
    const before = { ...reference, metadata: { name: 'kubelet-config', namespace: 'kube-system' } };
    cluster.objects.apply({ ...before, data: { kubelet: 'rotateCertificates: true\n' } }, world.fleet.now);
    const grown = await world.run(world.apply(made(1, 2), 'grow'));
    expect(grown?.state, world.explain()).toBe('succeeded');
    expect(requests(world)).toHaveLength(2);
    expect(cluster.machines.get('demo-general-2')?.files.has(kubeletServingPath)).toBe(false);
  });

  it('are approved again between operations, long before they end, and by the same rule', async () => {
    const world = await open({ healthEvery: 30_000 });
    await world.run(world.apply(made(1, 2), 'create'));
    age(world, 20);
    world.fleet.addFault({ kind: 'asks-for-foreign', machine: 'demo-general-2', address: '10.96.0.1' });
    await world.run(world.clock.sleep(5 * minute));
    const ends = (name: string): number => {
      const text = clusterOf(world).machines.get(name)?.files.get(kubeletServingPath)?.content ?? '';
      return (Date.parse(/until (\S+)$/.exec(text)?.[1] ?? '') - world.fleet.now) / day;
    };
    expect(ends('demo-cp-1')).toBeGreaterThan(300);
    expect(ends('demo-general-1')).toBeGreaterThan(300);
    expect(ends('demo-general-2')).toBeLessThan(20);
    const events = await world.run(world.request((engine) => engine.eventsBack(1e9, { limit: 500 })));
    const denials = events.filter(({ type }) => type === 'kubelet-serving.denied');
    const names = requests(world).flatMap((object) =>
      JSON.stringify(object).includes('Denied') ? [object.metadata.name] : [],
    );
    expect(denials.map(({ data }) => (data as { request: string }).request).toSorted()).toEqual(
      names.toSorted(),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(denials[0]).toMatchObject({
      cluster: 'demo',
      data: { username: 'system:node:demo-general-2', why: expect.stringContaining('10.96.0.1') },
    });
    world.fleet.repair();
    await world.run(world.clock.sleep(2 * minute));
    expect(ends('demo-general-2')).toBeGreaterThan(300);
  });
});
