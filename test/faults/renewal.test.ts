import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { Refusal } from '../../daemon/operations/requests.ts';
import type { Intent } from '../../provisioners/contract/intent.ts';
import type { ObservedCertificate } from '../../provisioners/contract/observed.ts';
import { certificateInventory } from '../../provisioners/kubernetes/certificate-inventory.ts';
import { keeperOf } from '../../provisioners/kubernetes/kubeadm-certificates.ts';
import { kubeletClientPath, leafCertificates, leafLife } from '../fleet/model/certificates.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import type { Fault } from '../fleet/model/faults.ts';
import type { ModelMachine } from '../fleet/model/machine.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
const day = 24 * 3_600_000;
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

function clusterOf(world: World): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

/** Makes certificates of masters end in so many days, as if they had been made that much earlier, and read long ago. */
function age(world: World, left: number, only?: readonly string[]): void {
  const cluster = clusterOf(world);
  for (const machine of cluster.machines.values()) {
    if (only !== undefined && !only.includes(machine.name)) continue;
    for (const [path, name] of leafCertificates) {
      const file = machine.files.get(path);
      if (file === undefined) continue;
      const until = new Date(world.fleet.now + left * day).toISOString();
      const content = `model certificate ${name} of ${machine.name} until ${until}`;
      machine.files.set(path, { content, mode: file.mode });
    }
  }
  world.fleet.refresh(cluster, undefined);
}

/** Gives every kubelet a certificate that has run out. */
function endKubelets(world: World): ModelMachine[] {
  const machines = [...clusterOf(world).machines.values()];
  for (const machine of machines) {
    const until = new Date(world.fleet.now - 10 * day).toISOString();
    const content = `model certificate kubelet/client of ${machine.name} until ${until}`;
    machine.files.set(kubeletClientPath, { content, mode: 0o600 });
  }
  return machines;
}

/** A world with a finished cluster whose certificates end in so many days. */
async function openAged(masters: number, left: number, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters, workers: 1 }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  age(world, left);
  return world;
}

/** Asks for a renewal; undefined when there was nothing to do. */
async function begin(
  world: World,
  intent: Extract<Intent, { kind: 'renew' }> = { kind: 'renew' },
): Promise<OperationView | undefined> {
  const asked = { cluster: 'demo', principal: 'tester', intent, idempotencyKey: `${JSON.stringify(intent)}` };
  const { operation } = await world.request((engine) => engine.dayTwo.start(asked));
  return operation;
}

const renewed = (world: World, intent?: Extract<Intent, { kind: 'renew' }>): Promise<OperationView> =>
  world.run(
    (async () => {
      const operation = await begin(world, intent);
      if (operation === undefined) throw new Error('there was nothing to renew');
      return world.ended(operation.id);
    })(),
  );

const renewable = (world: World): Promise<ObservedCertificate[]> =>
  world.run(
    world.request(async (engine) => {
      const { certificates = [] } = await engine.observe('demo');
      return certificates.filter(({ name }) => keeperOf(name) === 'kubeadm');
    }),
  );

/** All are new, whatever reads them was started since, and asking again does nothing (goal: made since a moment). */
async function expectRenewed(world: World, masters: number): Promise<void> {
  const found = await renewable(world);
  expect(found).toHaveLength(masters * leafCertificates.length);
  for (const { notAfter, name, machine } of found)
    expect(Date.parse(notAfter) - world.fleet.now, `${name} of ${machine}`).toBeGreaterThan(leafLife - day);
  const before = world.fleet.mutatingCalls;
  const again = await world.run(
    world.request((engine) =>
      engine.dayTwo.start({ cluster: 'demo', principal: 'tester', intent: { kind: 'renew' } }),
    ),
  );
  expect(again).toEqual({});
  expect(world.fleet.mutatingCalls).toBe(before);
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

const restarts = (world: World): string[] =>
  world.fleet.effects.filter(({ call }) => call === 'host.restartComponent').map(({ target }) => target);

describe('certificates are renewed on demand, on the fleet (H12, complaint 13)', () => {
  it.each([1, 3, 5])('%i masters, one after another, and then there is nothing to do', async (masters) => {
    const world = await openAged(masters, 40);
    const ended = await renewed(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const order = [...new Set(restarts(world).map((target) => target.replace(/:.*$/u, '')))];
    expect(order).toEqual(Array.from({ length: masters }, (_none, index) => `demo-cp-${index + 1}`));
    await expectRenewed(world, masters);
  });

  it('without the API being away for a moment where there are three masters', async () => {
    const world = await openAged(3, 40);
    const cluster = clusterOf(world);
    const away: string[] = [];
    const settle = world.clock.onAdvance;
    world.clock.onAdvance = (to) => {
      settle?.(to);
      const ready = [...cluster.machines.values()].filter((one) => cluster.isApiReady(one, world.fleet.now));
      if (ready.length === 0) away.push(new Date(world.fleet.now).toISOString());
    };
    const ended = await renewed(world);
    expect(ended.state, world.explain()).toBe('succeeded');
    expect(restarts(world).length).toBe(12);
    expect(away).toEqual([]);
  });

  it('of one machine alone, and of none that is no master', async () => {
    const world = await openAged(3, 40);
    expect((await renewed(world, { kind: 'renew', machines: ['demo-cp-2'] })).state).toBe('succeeded');
    const found = await renewable(world);
    const fresh = found.filter(({ notAfter }) => Date.parse(notAfter) - world.fleet.now > 300 * day);
    expect([...new Set(fresh.map(({ machine }) => machine))]).toEqual(['demo-cp-2']);
    const refused = begin(world, { kind: 'renew', machines: ['demo-general-1'] });
    await expect(world.run(refused)).rejects.toMatchObject({
      reason: 'invalid',
      problems: [{ code: 'PLAN-051', value: 'demo-general-1' }],
    });
    const tomorrow = new Date(world.fleet.now + day).toISOString();
    await expect(world.run(begin(world, { kind: 'renew', since: tomorrow }))).rejects.toMatchObject({
      problems: [{ code: 'PLAN-053' }],
    });
  });

  it('and not of some while another was not seen, but by name', async () => {
    const world = await openAged(3, 40);
    const third = clusterOf(world).machines.get('demo-cp-3');
    if (third === undefined) throw new Error('no third master');
    world.fleet.setPower(third, 'off');
    await world.run(world.clock.sleep(60_000));
    const asked = { cluster: 'demo', principal: 'tester', intent: { kind: 'renew' } } as const;
    const refused = await world.run(
      world.request((engine) => engine.dayTwo.plan(asked).catch((error: unknown) => error)),
    );
    expect(refused).toBeInstanceOf(Refusal);
    expect(refused).toMatchObject({ problems: [{ code: 'PLAN-052', machine: 'demo-cp-3' }] });
    const others = await renewed(world, { kind: 'renew', machines: ['demo-cp-2', 'demo-cp-1'] });
    // One of two that are left: the quorum would be lost, and that is said until somebody acts.
    expect(others).toMatchObject({ state: 'failed', isResumable: true });
    expect(others.problem?.summary).toContain('not answering: demo-cp-3');
  });

  it('and not of machines that have left and are kept, sealed off (AwaitingFinalize)', async () => {
    const world = await openAged(3, 300);
    const change = { kind: 'replace', machines: ['demo-cp-1'], mode: 'keep' } as const;
    const replaced = await world.run(world.change(change, 'keep'));
    expect(replaced?.state, `${replaced?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    age(world, 40);
    const before = world.fleet.effects.length;
    const ended = await renewed(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const touched = world.fleet.effects.slice(before).map(({ target }) => target.replace(/[: ].*$/u, ''));
    expect([...new Set(touched)].sort()).toEqual(['demo-cp-2', 'demo-cp-3', 'demo-cp-4']);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('beside an update that was stopped: that one is taken up again afterwards', async () => {
    const world = await openAged(3, 40);
    const text = answerFile({ masters: 3, workers: 2 });
    const answer = await world.run(
      world.request((engine) => engine.apply({ text, file: 'f', principal: 'tester' })),
    );
    const id = answer.operations[0]?.id ?? '';
    await world.run(world.clock.sleep(4000));
    await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
    expect((await world.run(world.ended(id))).state).toBe('cancelled');
    const ended = await renewed(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const stopped = await world.run(world.request((engine) => engine.getOperation(id)));
    expect(stopped.isResumable).toBe(true);
    await world.run(world.request((engine) => engine.resumeOperation(id, 'tester')));
    expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
    await expectRenewed(world, 3);
  });

  it.each<Extract<Fault, { kind: 'machine-dies' }>>([
    { kind: 'machine-dies', machine: 'demo-cp-2', at: 20_000, back: 300_000 },
    { kind: 'machine-dies', machine: 'demo-cp-1', at: 8_000, back: 300_000 },
  ])('although %j', async (fault) => {
    const world = await openAged(3, 40);
    world.fleet.addFault({
      ...fault,
      at: world.fleet.now + fault.at,
      back: world.fleet.now + (fault.back ?? 0),
    });
    let ended = await renewed(world);
    if (ended.state !== 'succeeded') {
      expect(ended.isResumable, ended.problem?.summary).toBe(true);
      expect(ended.problem?.kind).not.toBe('fault');
      await world.run(world.clock.sleep(600_000));
      await world.run(world.request((engine) => engine.resumeOperation(ended.id, 'tester')));
      ended = await world.run(world.ended(ended.id));
    }
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    await expectRenewed(world, 3);
  });
});

describe('certificates that have run out (complaint 13: works when already expired)', () => {
  it.each([1, 3])(
    'a dead API with %i masters is brought back, and the plan says why it saw nothing',
    async (masters) => {
      const world = await openAged(masters, -1);
      const seen = await world.run(world.request((engine) => engine.observe('demo')));
      expect(seen.nodes).toBeUndefined();
      expect(seen.apiVersion).toBeUndefined();
      const inventory = certificateInventory(seen.certificates ?? [], seen.at);
      expect(inventory.level).toBe('expired');
      const asked = { cluster: 'demo', principal: 'tester', intent: { kind: 'renew' } } as const;
      const shown = await world.run(world.request((engine) => engine.dayTwo.plan(asked)));
      expect(shown.plans[0]?.text).toContain('Certificates have run out on so many masters');
      const ended = await renewed(world);
      expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
      const after = await world.run(world.request((engine) => engine.observe('demo')));
      expect(after.apiVersion).toBe('v1.20.2');
      expect(after.voters?.map(({ healthy }) => healthy)).toEqual(
        Array.from({ length: masters }, () => true),
      );
      await expectRenewed(world, masters);
    },
  );

  it('and the kubelets of all machines, which have run out as well: nothing of theirs would start', async () => {
    const world = await openAged(3, -30);
    await world.run(world.clock.sleep(120_000));
    const machines = endKubelets(world);
    // The others have run for a while; one was started anew since, and its kubelet found nothing to start with.
    machines[0]?.services.set('kubelet', { active: false, enabled: true, since: world.fleet.now });
    const ended = await renewed(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const revived = world.fleet.effects.filter(
      ({ call, by }) => call === 'service.restart' && by.includes('revive'),
    );
    expect(revived.map(({ target }) => target)).toEqual(['demo-cp-1:kubelet.service']);
    for (const { name, files } of machines) {
      expect(files.get(kubeletClientPath)?.content, name).not.toContain('until 2025');
      expect(files.has('/etc/kubernetes/bootstrap-kubelet.conf'), name).toBe(false);
    }
    await expectRenewed(world, 3);
  });

  it('on two of three masters: neither is waited for before both are renewed', async () => {
    const world = await openAged(3, 300);
    age(world, -1, ['demo-cp-1', 'demo-cp-3']);
    const ended = await renewed(world);
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    await expectRenewed(world, 3);
  });
});

/** Cuts tried of all there are, outside the full ring. */
const slice = 12;

describe(`a renewal, killed at any boundary (V8, REMUDA_SEED=${seed})`, () => {
  it.each([
    ['in time', 40, false],
    ['too late', -1, false],
    ['too late for kubelets as well', -30, true],
  ])(
    '%s: goes on by itself and ends alike',
    async (_when, left, hasKubelets) => {
      const open = async (options: WorldOptions = {}): Promise<World> => {
        const world = await openAged(3, left, options);
        if (hasKubelets) endKubelets(world);
        world.boundaries.begin();
        return world;
      };
      const undisturbed = await open();
      expect((await renewed(undisturbed)).state, undisturbed.explain()).toBe('succeeded');
      const all = undisturbed.boundaries.crossings.flatMap(({ index }) =>
        cutPoints.flatMap((point): Cut[] => [
          { index, point, kill: ['agent'] },
          { index, point, kill: ['daemon'] },
          { index, point, kill: ['daemon', 'agent'] },
        ]),
      );
      const chosen = sample(all, isFull ? 400 : slice, seededRandom(seed));
      console.info(
        `${chosen.length} of ${all.length} cuts at ${undisturbed.boundaries.crossings.length} boundaries`,
      );
      for (const cut of chosen) {
        const world = await open({ cut });
        const ended = await renewed(world);
        const story = `${JSON.stringify(cut)} ${ended.problem?.summary ?? ''}\n${world.explain()}`;
        expect(ended.state, story).toBe('succeeded');
        expect(world.boundaries.hasCut, story).toBe(true);
        const bootstraps = [...clusterOf(world).machines.values()].filter(({ files }) =>
          files.has('/etc/kubernetes/bootstrap-kubelet.conf'),
        );
        expect(bootstraps, story).toEqual([]);
        await expectRenewed(world, 3);
        world.close();
        worlds.splice(worlds.indexOf(world), 1);
      }
    },
    3_600_000,
  );
});
