import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { modelEpoch } from '../fleet/model/clock.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';
import { clusterOf, machineOf, votersOf } from './restore-story.ts';

const worlds: World[] = [];
const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

interface Size {
  readonly masters: number;
  readonly etcd: number;
}

const fileOf = ({ masters, etcd }: Size, version: string, machine = ''): string => {
  const text = answerFile({
    masters,
    workers: 1,
    version,
    upgrade: '{ strategy: InPlace }',
    etcd: `{ topology: external, replicas: ${etcd}${machine} }`,
  });
  // The cluster's DNS of this release is the lab's alone.
  return version.startsWith('1.20')
    ? text
    : text.replace('dns: { enabled: true }', 'dns: { enabled: false }');
};

async function apply(world: World, text: string, key: string): Promise<OperationView | undefined> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'], idempotencyKey: key };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  const [operation] = operations;
  return operation && world.run(world.ended(operation.id));
}

async function openAt(version: string, size: Size, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  if (!version.startsWith('1.20')) world.fleet.cgroupVersion = 2;
  await world.open();
  const made = await apply(world, fileOf(size, version), 'create');
  expect(made?.state, `${made?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  return world;
}

/** The image of etcd that each of its machines runs. */
const imagesOf = (world: World): string[] =>
  [...clusterOf(world).machines.values()]
    .filter(({ role }) => role === 'etcd')
    .map(
      ({ files }) =>
        /etcd:[^"]+/.exec(files.get('/etc/kubernetes/manifests/etcd.yaml')?.content ?? '')?.[0] ?? '',
    );

const etcdRestarts = (world: World): string[] =>
  world.fleet.births.filter((birth) => birth.startsWith('kubeadm phases demo-etcd-'));

/** The same machines as before, all of the new version, and API servers that ask every member. */
async function expectUpgraded(world: World, ended: OperationView | undefined, size: Size, version: string) {
  expect(ended?.state, `${ended?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  const { nodes = [], machines = [] } = await world.run(world.request((engine) => engine.observe('demo')));
  expect(new Set(nodes.map(({ kubeletVersion }) => kubeletVersion))).toEqual(new Set([`v${version}`]));
  expect(machines.map(({ incarnation }) => incarnation)).toEqual(
    Array.from({ length: size.masters + size.etcd + 1 }, () => 1),
  );
  expect(votersOf(world)).toHaveLength(size.etcd);
  expect(clusterOf(world).readyMasters(world.fleet.now)).toHaveLength(size.masters);
  expect(world.fleet.violations, world.explain()).toEqual([]);
  expect(await apply(world, fileOf(size, version), 'again')).toBeUndefined();
}

describe('an upgrade in place where etcd stands on machines of its own (H4, C3, complaints 7 and 8)', () => {
  it('a patch: masters and workers, and no machine of etcd', async () => {
    const size = { masters: 3, etcd: 3 };
    const world = await openAt('1.20.2', size);
    const before = etcdRestarts(world);
    await expectUpgraded(world, await apply(world, fileOf(size, '1.20.3'), 'up'), size, '1.20.3');
    expect(etcdRestarts(world)).toEqual(before);
  });

  it.each<Size>([
    { masters: 1, etcd: 1 },
    { masters: 3, etcd: 3 },
  ])('a minor: $masters masters, then $etcd machines of etcd one by one, workers last', async (size) => {
    const world = await openAt('1.35.6', size);
    const planned = { text: fileOf(size, '1.36.3'), file: 'cluster.yaml', principal: 'tester' };
    const { plans } = await world.run(world.request((engine) => engine.plan(planned)));
    expect(/There is one machine of etcd/.test(plans[0]?.text ?? '')).toBe(size.etcd === 1);
    expect(new Set(imagesOf(world))).toEqual(new Set(['etcd:3.6.6-0']));
    const since = world.fleet.effects.length;
    await expectUpgraded(world, await apply(world, fileOf(size, '1.36.3'), 'up'), size, '1.36.3');
    expect(new Set(imagesOf(world))).toEqual(new Set(['etcd:3.6.8-0']));
    const steps = world.fleet.effects.slice(since).map(({ by }) => by.split('/').slice(1).join('/'));
    const lastOf = (kind: string) => steps.findLastIndex((step) => step.startsWith(kind));
    const firstOf = (kind: string) => steps.findIndex((step) => step.startsWith(kind));
    expect(firstOf('etcd-member.upgrade')).toBeGreaterThan(lastOf('kubelet.upgrade/demo-cp-'));
    expect(firstOf('kubelet.upgrade/demo-general-')).toBeGreaterThan(lastOf('etcd-member.upgrade'));
    // One after another: whoever is through is not touched again.
    const turns = steps.filter((step) => step.startsWith('etcd-member.upgrade/'));
    const inTurn = turns.filter((step, index) => step !== turns[index - 1]);
    expect(inTurn).toHaveLength(size.etcd);
  });

  it('two minors, with the stop between them', async () => {
    const size = { masters: 1, etcd: 3 };
    const world = await openAt('1.35.6', size);
    const text = fileOf(size, '1.37.1').replace(
      'strategy: InPlace',
      'strategy: InPlace, through: ["1.36.3"]',
    );
    const ended = await apply(world, text, 'up');
    expect(ended?.state, `${ended?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(new Set(imagesOf(world))).toEqual(new Set(['etcd:3.7.0-0']));
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('waits while another member is not well, says which, and goes on by itself', async () => {
    const size = { masters: 1, etcd: 3 };
    const world = await openAt('1.35.6', size);
    const asked = {
      text: fileOf(size, '1.36.3'),
      file: 'cluster.yaml',
      principal: 'tester',
      confirm: ['demo'],
    };
    const { operations } = await world.run(
      world.request((engine) => engine.apply({ ...asked, idempotencyKey: 'up' })),
    );
    const id = operations[0]?.id ?? '';
    const begun = async (): Promise<void> => {
      while (!world.fleet.effects.some(({ by }) => by.includes('kubelet.upgrade/demo-cp-1')))
        await world.clock.sleep(500);
    };
    await world.run(begun());
    // Before any of them is touched; the machine comes back when somebody has seen to it.
    world.fleet.setPower(machineOf(world, 'demo-etcd-3'), 'off');
    const waiting = async (): Promise<string> => {
      for (;;) {
        const { stepList, state } = await world.request((engine) => engine.getOperation(id));
        const wait = stepList.find((step) => step.kind === 'etcd-member.upgrade')?.waiting;
        if (wait !== undefined) return wait.lastSeen;
        if (['failed', 'succeeded'].includes(state)) throw new Error(`ended ${state}`);
        await world.clock.sleep(1000);
      }
    };
    const text = await world.run(waiting());
    expect(text).toMatch(/etcd voters would answer and 2 are needed \(not answering: demo-etcd-3\)/);
    expect(votersOf(world)).toEqual(['demo-etcd-1', 'demo-etcd-2']);
    world.fleet.setPower(machineOf(world, 'demo-etcd-3'), 'on');
    await expectUpgraded(world, await world.run(world.ended(id)), size, '1.36.3');
  });

  it('lays back a manifest that kubeadm had moved away when the power failed', async () => {
    const size = { masters: 3, etcd: 1 };
    const whole = await openAt('1.20.2', size);
    await apply(whole, fileOf(size, '1.20.3'), 'up');
    const started = whole.fleet.effects.find(
      ({ call, target }) => call === 'kubeadm.start upgrade' && target === 'demo-cp-2',
    );
    // The model moves the API server's away 4.02 s after its start, and the new one in 20 ms later.
    const at = (started?.at ?? 0) - modelEpoch + 4030;
    const world = await openAt('1.20.2', size, {
      faults: [{ kind: 'machine-dies', machine: 'demo-cp-2', at, back: at + 20_000 }],
    });
    let ended = await apply(world, fileOf(size, '1.20.3'), 'up');
    for (let tries = 0; ended !== undefined && ended.state !== 'succeeded' && tries < 3; tries += 1) {
      const { id } = ended;
      await world.run(world.clock.sleep(120_000));
      await world.run(world.request((engine) => engine.resumeOperation(id, 'tester')));
      ended = await world.run(world.ended(id));
    }
    await expectUpgraded(world, ended, size, '1.20.3');
    const path = 'demo-cp-2:/etc/kubernetes/manifests/kube-apiserver.yaml';
    const laid = world.fleet.effects.filter(({ call, target }) => call === 'file.write' && target === path);
    expect(laid, world.explain()).toHaveLength(1);
  });

  it('replaces machines of etcd all the same that are to be of another size', async () => {
    const size = { masters: 1, etcd: 1 };
    const world = await openAt('1.20.2', size);
    const larger = fileOf(size, '1.20.2', ', machine: { cpus: 4, memory: 4Gi }');
    const ended = await apply(world, larger, 'resize');
    expect(ended?.state, `${ended?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(votersOf(world)).toEqual(['demo-etcd-2']);
  });

  it.each<Size>([
    { masters: 1, etcd: 1 },
    { masters: 3, etcd: 3 },
  ])(
    'goes on from wherever it is cut: $masters masters, $etcd machines of etcd',
    async (size) => {
      const whole = await openAt('1.35.6', size);
      whole.boundaries.begin();
      await apply(whole, fileOf(size, '1.36.3'), 'up');
      const effects = whole.boundaries.crossings.filter(({ kind }) => kind === 'effect');
      const every = effects.flatMap(({ index }) =>
        cutPoints.map((point): Cut => ({ index, point, kill: ['agent', 'daemon'] })),
      );
      const chosen = sample(every, isFull ? 150 : 3, seededRandom(seed));
      console.info(`${chosen.length} of ${every.length} cases (REMUDA_SEED=${seed})`);
      for (const cut of chosen) {
        const world = await openAt('1.35.6', size, { cut });
        world.boundaries.begin();
        const ended = await apply(world, fileOf(size, '1.36.3'), 'up');
        expect(ended?.state, `seed ${seed}, ${JSON.stringify(cut)}: ${ended?.problem?.summary}`).toBe(
          'succeeded',
        );
        await expectUpgraded(world, ended, size, '1.36.3');
        expect(new Set(imagesOf(world))).toEqual(new Set(['etcd:3.6.8-0']));
        world.close();
        worlds.splice(worlds.indexOf(world), 1);
      }
    },
    3_600_000,
  );
});
