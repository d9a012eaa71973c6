import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { modelEpoch } from '../fleet/model/clock.ts';
import type { Fault } from '../fleet/model/faults.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

interface Size {
  readonly masters: number;
  readonly workers: number;
}

const fileOf = (size: Size, version: string): string =>
  answerFile({ ...size, version, upgrade: '{ strategy: InPlace }' });

async function openAt(version: string, size: Size, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(fileOf(size, version), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

async function begin(world: World, text: string): Promise<OperationView> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'], idempotencyKey: text };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  const [operation] = operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return world.run(world.ended(operation.id));
}

/** Resumes as long as it takes; a person repairs what was broken. */
async function resumed(world: World, first: OperationView): Promise<OperationView> {
  let ended = first;
  for (let tries = 0; ended.state !== 'succeeded' && tries < 3; tries += 1) {
    expect(ended.isResumable, ended.problem?.summary).toBe(true);
    expect(ended.problem?.kind, ended.problem?.summary).not.toBe('fault');
    world.fleet.repair();
    await world.run(world.clock.sleep(120_000));
    const { id } = ended;
    await world.run(world.request((engine) => engine.resumeOperation(id, 'tester')));
    ended = await world.run(world.ended(id));
  }
  return ended;
}

/** The same machines as before, all of the new version, nothing left closed, and nothing that must never happen. */
async function expectUpgraded(
  world: World,
  ended: OperationView,
  size: Size,
  version: string,
): Promise<void> {
  expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  const {
    nodes = [],
    machines = [],
    marks,
  } = await world.run(world.request((engine) => engine.observe('demo')));
  expect(new Set(nodes.map(({ kubeletVersion }) => kubeletVersion))).toEqual(new Set([`v${version}`]));
  expect(machines.map(({ incarnation }) => incarnation)).toEqual(
    Array.from({ length: size.masters + size.workers }, () => 1),
  );
  expect(nodes.filter(({ unschedulable }) => unschedulable)).toEqual([]);
  expect(world.fleet.violations, world.explain()).toEqual([]);
  expect(marks?.['verified']).not.toBe('');
}

describe('an upgrade in place, on the fleet (C3, H22, complaints 7, 8, 9)', () => {
  it.each([
    { masters: 1, workers: 1 },
    { masters: 3, workers: 2 },
  ])('$masters masters and $workers workers stay the machines they are', async (size) => {
    const world = await openAt('1.20.2', size);
    const plan = await world.run(
      world.request((engine) =>
        engine.plan({ text: fileOf(size, '1.20.3'), file: 'cluster.yaml', principal: 'tester' }),
      ),
    );
    expect(plan.needsConfirmation).toEqual(['demo']);
    expect(plan.plans[0]?.text).toMatch(/no way back/);
    expect(plan.plans[0]?.plan.destroys).toEqual([]);
    await expectUpgraded(world, await begin(world, fileOf(size, '1.20.3')), size, '1.20.3');
    const backups = world.fleet.backups.length;
    expect(backups).toBe(1);
    const again = await world.run(world.apply(fileOf(size, '1.20.3'), 'again'));
    expect(again).toBeUndefined();
  });
});

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
const small: Size = { masters: 3, workers: 1 };

/** Runs an upgrade with boundaries that count, up to its end. */
async function upgrade(options: WorldOptions): Promise<{ world: World; ended: OperationView }> {
  const world = await openAt('1.20.2', small, options);
  world.boundaries.begin();
  return { world, ended: await begin(world, fileOf(small, '1.20.3')) };
}

describe('an upgrade in place that is cut, on the fleet (complaints 3, 7, 9)', () => {
  it('goes on after the death of whoever, at any effect', async () => {
    const { world: whole } = await upgrade({});
    const effects = whole.boundaries.crossings.filter(({ kind }) => kind === 'effect');
    const every = effects.flatMap(({ index }) =>
      cutPoints.map((point): Cut => ({ index, point, kill: ['agent', 'daemon'] })),
    );
    const chosen = isFull ? every : sample(every, 4, seededRandom(seed));
    console.info(`${chosen.length} of ${every.length} cases (REMUDA_SEED=${seed})`);
    for (const cut of chosen) {
      const { world, ended } = await upgrade({ cut });
      const told = `seed ${seed}, ${JSON.stringify(cut)}`;
      expect(world.boundaries.hasCut, told).toBe(true);
      expect(ended.state, `${told}: ${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
      await expectUpgraded(world, ended, small, '1.20.3');
      world.close();
      worlds.splice(worlds.indexOf(world), 1);
    }
  }, 3_600_000);

  it('stops at a master that is lost, without touching another, and goes on when it is back', async () => {
    const fault: Fault = { kind: 'machine-dies', machine: 'demo-cp-3', at: 115_000 };
    const { world, ended } = await upgrade({ faults: [fault] });
    expect([ended.state, ended.isResumable]).toEqual(['failed', true]);
    expect(ended.problem?.summary).toMatch(/demo-cp-3/);
    const begun = world.fleet.births.filter((birth) => birth.startsWith('kubeadm upgrade'));
    expect(begun).toEqual(['kubeadm upgrade demo-cp-1']);
    await expectUpgraded(world, await resumed(world, ended), small, '1.20.3');
  });

  it('lays back a manifest that kubeadm had moved away when the power failed', async () => {
    const { world: whole } = await upgrade({});
    const started = whole.fleet.effects.find(
      ({ call, target }) => call === 'kubeadm.start upgrade' && target === 'demo-cp-2',
    );
    // The model moves the API server's away 4.02 s after its start, and the new one in 20 ms later.
    const at = (started?.at ?? 0) - modelEpoch + 4030;
    const { world, ended } = await upgrade({
      faults: [{ kind: 'machine-dies', machine: 'demo-cp-2', at, back: at + 20_000 }],
    });
    await expectUpgraded(world, await resumed(world, ended), small, '1.20.3');
    const laid = world.fleet.effects.filter(
      ({ call, target }) =>
        call === 'file.write' && target === 'demo-cp-2:/etc/kubernetes/manifests/kube-apiserver.yaml',
    );
    expect(laid, world.explain()).toHaveLength(1);
  });

  it('ends after any machine lost its power at any moment, with no skew that Kubernetes forbids', async () => {
    const random = seededRandom(seed);
    for (let run = 0; run < (isFull ? 200 : 4); run += 1) {
      const name = ['demo-cp-1', 'demo-cp-2', 'demo-cp-3', 'demo-general-1'][Math.floor(random() * 4)] ?? '';
      const at = Math.floor(90_000 + random() * 150_000);
      const fault: Fault = { kind: 'machine-dies', machine: name, at, back: at + 20_000 };
      const { world, ended } = await upgrade({ faults: [fault] });
      const told = `seed ${seed}, ${JSON.stringify(fault)}`;
      const last = await resumed(world, ended);
      expect(last.state, `${told}: ${last.problem?.summary}\n${world.explain()}`).toBe('succeeded');
      await expectUpgraded(world, last, small, '1.20.3');
      world.close();
      worlds.splice(worlds.indexOf(world), 1);
    }
  }, 3_600_000);
});
