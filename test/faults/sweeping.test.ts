import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { addLate } from '../fleet/model/late-machine.ts';
import { cutPoints, type Crossing, type Cut, type ProcessName } from './boundaries.ts';
import { World } from './harness.ts';
import { beginEjection, clusterOf, endOf, fileOf, wish } from './ownership-story.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** The Provider document alone: a new appliance is told where to look. */
const providerOf = (): string => fileOf(1).split('\n---\n')[0] ?? '';

async function made(world = new World()): Promise<World> {
  worlds.push(world);
  await world.open();
  const view = await world.run(world.apply(fileOf(1), 'make'));
  expect(view?.state, world.explain()).toBe('succeeded');
  return world;
}

/** A cluster whose appliance has lost its state: the new one knows the provider and nothing of what is there. */
async function lost(world?: World): Promise<World> {
  const after = await made(world);
  await after.loseState();
  await after.run(after.apply(providerOf(), 'provider'));
  clusterOf(after).isGoing = true;
  return after;
}

const strays = (world: World) => world.run(world.request((engine) => engine.sweeping.list()));

async function codes(world: World, uid: string): Promise<unknown> {
  const asked = world.daemon?.process.run(() =>
    world.daemon?.engine.sweeping.plan({ uid, principal: 'tester' }),
  );
  return world.run(Promise.resolve(asked)).then(
    () => 'planned',
    (error: { problems?: { code: string }[] }) => error.problems?.map(({ code }) => code) ?? error,
  );
}

/** The sweep as the command does it: the plan first, then exactly that. */
async function beginSweep(world: World, uid: string): Promise<string> {
  const plan = await world.request((engine) => engine.sweeping.plan({ uid, principal: 'tester' }));
  const [shown] = plan.plans;
  const request = { uid, principal: 'tester', planHash: plan.hash, confirm: shown?.cluster ?? '' };
  const { operation } = await world.request((engine) =>
    engine.sweeping.start({ ...request, idempotencyKey: `sweep ${plan.hash}` }),
  );
  return operation?.id ?? '';
}

const swept = (world: World, uid: string): Promise<OperationView> =>
  world.run((async () => endOf(world, await beginSweep(world, uid)))());

/** The three lists of an operation, as names. */
async function listsOf(world: World, id: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { stepList } = await world.run(world.request((engine) => engine.getOperation(id)));
  const facts = stepList.find(({ kind }) => kind === 'teardown.prove')?.facts as Readonly<
    Record<string, { name: string }[]>
  >;
  return Object.fromEntries(
    Object.entries(facts).map(([list, entries]) => [list, entries.map(({ name }) => name).sort()]),
  );
}

describe('sweep: what bears our tags and belongs to no cluster of ours (complaint 16, H23)', () => {
  it('of an appliance that lost its state is shown, and goes only with a word; the proof has its three lists', async () => {
    const world = await lost();
    const { identity, machines } = clusterOf(world);
    const before = world.fleet.mutatingCalls;
    const { strays: found, unseen } = await strays(world);
    expect(unseen).toEqual([]);
    expect(found).toMatchObject([{ ...identity, provider: 'lab', isReleased: false }]);
    expect(found[0]?.things.filter(({ type }) => type === 'machine').map(({ name }) => name)).toEqual([
      ...machines.keys(),
    ]);
    const { plans, needsConfirmation } = await world.run(
      world.request((engine) => engine.sweeping.plan({ uid: identity.uid, principal: 'tester' })),
    );
    expect(needsConfirmation).toEqual(['demo']);
    expect(plans[0]?.text).toContain('This Remuda never knew it');
    const silent = { uid: identity.uid, principal: 'tester' };
    const asked = world.daemon?.process.run(() => world.daemon?.engine.sweeping.start(silent));
    await expect(world.run(Promise.resolve(asked))).rejects.toMatchObject({ reason: 'needs-confirmation' });
    expect(world.fleet.mutatingCalls).toBe(before);
    const view = await swept(world, identity.uid);
    expect(view.state, world.explain()).toBe('succeeded');
    expect(await listsOf(world, view.id)).toMatchObject({
      gone: ['demo-cp-1', 'demo-general-1'],
      kept: [],
      left: [],
    });
    expect(clusterOf(world).machines.size).toBe(0);
    expect((await strays(world)).strays).toEqual([]);
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('touches neither a cluster of ours nor one that was given away, and says why', async () => {
    const world = await made();
    const { uid } = clusterOf(world).identity;
    expect((await strays(world)).strays).toEqual([]);
    expect(await codes(world, uid)).toEqual(['SWEEP-002']);
    expect(await codes(world, 'nobody')).toEqual(['SWEEP-001']);
    const view = await world.run((async () => endOf(world, await beginEjection(world)))());
    expect(view.state).toBe('succeeded');
    expect((await strays(world)).strays).toMatchObject([{ uid, isReleased: true }]);
    const calls = world.fleet.mutatingCalls;
    expect(await codes(world, uid)).toEqual(['SWEEP-003']);
    expect(world.fleet.mutatingCalls).toBe(calls);
    expect(clusterOf(world).machines.size).toBe(2);
  });

  it('of a deleted cluster goes, and its namesake of today does not', async () => {
    const world = await made();
    const [old] = world.fleet.clusters.values();
    if (old === undefined) throw new Error('there is no cluster');
    expect((await world.run(world.remove('demo', 'delete'))).state).toBe('succeeded');
    addLate(world.fleet, old, 'demo-general-1');
    expect((await world.run(world.apply(fileOf(1), 'again')))?.state, world.explain()).toBe('succeeded');
    const today = [...world.fleet.clusters.values()].find(
      ({ identity }) => identity.uid !== old.identity.uid,
    );
    const { strays: found } = await strays(world);
    expect(found).toMatchObject([
      { uid: old.identity.uid, name: 'demo', forgottenAt: expect.any(String), things: [{ id: 'i-late' }] },
    ]);
    const view = await swept(world, old.identity.uid);
    expect(view.state, world.explain()).toBe('succeeded');
    expect(old.machines.size).toBe(0);
    expect(today?.machines.size).toBe(2);
    expect(world.daemon?.engine.getCluster('demo').uid).toBe(today?.identity.uid);
    expect(await world.run(world.apply(fileOf(1), 'settled'))).toBeUndefined();
  });

  it('while an operation is at work on it nobody begins another', async () => {
    const world = await lost();
    const { uid } = clusterOf(world).identity;
    const id = await world.run(beginSweep(world, uid));
    expect(await codes(world, uid)).toEqual(['SWEEP-005']);
    // The same wish once more is the same operation.
    const again = await world.run(
      world.request((engine) => engine.sweeping.start({ uid, principal: 'other', confirm: 'demo' })),
    );
    expect(again.operation?.id).toBe(id);
    expect((await world.run(endOf(world, id))).state).toBe('succeeded');
  });
});

describe('a sweep that is not what was read, or not alone (V8, complaint 16)', () => {
  it('runs the plan that was read or none: what came since is named, and nothing is begun', async () => {
    const world = await lost();
    const { uid } = clusterOf(world).identity;
    const read = await world.run(
      world.request((engine) => engine.sweeping.plan({ uid, principal: 'tester' })),
    );
    addLate(world.fleet, clusterOf(world), 'demo-general-2');
    const calls = world.fleet.mutatingCalls;
    const stale = { uid, principal: 'tester', planHash: read.hash, confirm: 'demo' };
    const asked = world.daemon?.process.run(() => world.daemon?.engine.sweeping.start(stale));
    await expect(world.run(Promise.resolve(asked))).rejects.toMatchObject({ reason: 'plan-changed' });
    expect(world.fleet.mutatingCalls).toBe(calls);
    expect(world.daemon?.engine.listOperations()).toEqual([]);
  });

  it.each([0, 300, 600, 900, 1200])(
    'an adoption and a sweep of the same cluster, %i ms apart: one of them, and what is adopted stays',
    async (apart) => {
      const world = await lost();
      const { uid } = clusterOf(world).identity;
      const all = [...clusterOf(world).machines.keys()];
      const wanted = wish(world, 1, { takesOver: true, confirm: 'demo' });
      const outcomes = await world.run(
        Promise.allSettled([
          world.request((engine) => engine.importing.start(wanted)),
          world.clock
            .sleep(apart)
            .then(() =>
              world.request((engine) => engine.sweeping.start({ uid, principal: 'tester', confirm: 'demo' })),
            ),
        ]),
      );
      const told = outcomes.map((one) => (one.status === 'fulfilled' ? 'begun' : String(one.reason)));
      const begun = outcomes.flatMap((one) =>
        one.status === 'fulfilled' ? [one.value.operation?.id ?? ''] : [],
      );
      expect(begun, told.join('; ')).toHaveLength(1);
      const view = await world.run(endOf(world, begun[0] ?? ''));
      expect(view.state, world.explain()).toBe('succeeded');
      const isAdopted = view.kind !== 'delete';
      expect([...clusterOf(world).machines.keys()]).toEqual(isAdopted ? all : []);
      expect(world.daemon?.engine.listClusters().map(({ name }) => name)).toEqual(isAdopted ? ['demo'] : []);
      expect(world.fleet.violations, world.explain()).toEqual([]);
    },
  );
});

async function wrongAfter(cut?: Cut) {
  const world = await lost(new World(cut === undefined ? {} : { cut }));
  const { uid } = clusterOf(world).identity;
  world.boundaries.begin();
  const view = await swept(world, uid);
  const crossings: readonly Crossing[] = [...world.boundaries.crossings];
  const wrong = [
    ...(view.state === 'succeeded' ? [] : [`ended ${view.state}: ${view.problem?.summary ?? ''}`]),
    ...world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
    ...(clusterOf(world).machines.size === 0 ? [] : ['machines are left']),
    ...(view.state === 'succeeded' &&
    (await listsOf(world, view.id))['gone']?.join() === 'demo-cp-1,demo-general-1'
      ? []
      : ['the proof forgot what went']),
  ];
  world.close();
  worlds.splice(0);
  return { wrong, crossings };
}

it('kill -9 at every effect boundary of a sweep: it goes on unasked, and the proof forgets nothing (DESIGN §9)', async () => {
  const undisturbed = await wrongAfter();
  expect(undisturbed.wrong).toEqual([]);
  const victims: readonly ProcessName[][] = [['agent'], ['daemon'], ['agent', 'daemon']];
  const cases = undisturbed.crossings.flatMap(({ index }) =>
    victims.flatMap((kill) => cutPoints.map((point): Cut => ({ index, point, kill }))),
  );
  const chosen = sample(cases, isFull ? 400 : 8, seededRandom(seed));
  console.info(`${chosen.length} of ${cases.length} cases (REMUDA_SEED=${seed})`);
  const failures: string[] = [];
  for (const cut of chosen) {
    const { wrong } = await wrongAfter(cut);
    if (wrong.length > 0)
      failures.push(`${cut.kill.join('+')} ${cut.point} ${cut.index}: ${wrong.join('; ')}`);
  }
  expect(failures.join('\n'), `REMUDA_SEED=${seed}`).toBe('');
}, 3_600_000);
