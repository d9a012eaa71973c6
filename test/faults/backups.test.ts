import { afterEach, describe, expect, it } from 'vitest';
import type { Intent } from '../../provisioners/contract/intent.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { Fault } from '../fleet/model/faults.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

interface Size {
  readonly masters: number;
  readonly workers: number;
  readonly version?: string;
  /** `spec.backup`, as YAML on one line. */
  readonly backup?: string;
}

async function openWith(size: Size, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile(size), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

const hour = 3_600_000;

/** Lets time pass, in pieces that model time takes at once. */
async function pass(world: World, duration: number): Promise<void> {
  for (let left = duration; left > 0; left -= 12 * hour)
    await world.run(world.clock.sleep(Math.min(left, 12 * hour)));
}

const intent: Intent = { kind: 'backup' };

const begin = (world: World): Promise<OperationView | undefined> =>
  world.request(async (engine) => {
    const { operation } = await engine.dayTwo.start({ cluster: 'demo', principal: 'tester', intent });
    return operation;
  });

async function backUp(world: World): Promise<OperationView> {
  const operation = await world.run(begin(world));
  return world.run(world.ended(operation?.id ?? ''));
}

/** Applies with the cluster's name, and waits for the end. */
async function applied(world: World, size: Size): Promise<OperationView> {
  const file = { text: answerFile(size), file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
  const { operations } = await world.run(world.request((engine) => engine.apply(file)));
  return world.run(world.ended(operations[0]?.id ?? ''));
}

const operations = (world: World): Promise<readonly OperationView[]> =>
  world.run(world.request((engine) => engine.listOperations()));

const scheduled = async (world: World): Promise<OperationView[]> =>
  (await operations(world)).filter(({ principal }) => principal === 'schedule');

function clusterOf(world: World): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

function setPower(world: World, name: string, power: 'on' | 'off'): void {
  const machine = clusterOf(world).machines.get(name);
  if (machine === undefined) throw new Error(`there is no machine ${name}`);
  world.fleet.setPower(machine, power);
}

/** Where each backup went and for which step of which operation. */
const backupsOf = ({ fleet }: World): string[] =>
  fleet.backups.map(
    ({ place, key }) => `${/"type":"(\w+)"/.exec(place)?.[1]} ${key.split('/').slice(1).join('/')}`,
  );

describe('backups on demand, on the fleet', () => {
  it('makes one, journals what it is, and removes what no rule keeps any longer', async () => {
    const world = await openWith({ masters: 1, workers: 1, backup: '{ keep: { keepLast: 2 } }' });
    expect(backupsOf(world)).toEqual([]);
    const made: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await world.run(world.clock.sleep(60_000));
      const { state, id } = await backUp(world);
      expect(state, world.explain()).toBe('succeeded');
      made.push(id);
    }
    expect(world.fleet.backups.map(({ key }) => key.split('/')[0])).toEqual(made.slice(1));
    const known = world.daemon?.state.backups.list(clusterOf(world).identity.uid, 10) ?? [];
    expect(known.map(({ operation }) => operation)).toEqual(made.toReversed());
    for (const { manifest } of world.fleet.backups) {
      const receipt = known.find(({ id }) => id === manifest.id);
      expect(receipt?.fileSha256).toBe(manifest.file.sha256);
      expect(receipt?.revision).toBe(manifest.revision);
    }
    expect(world.fleet.violations).toEqual([]);
  });

  it('works with one of three masters dead, and is refused with the reason while no majority is left', async () => {
    const world = await openWith({ masters: 3, workers: 0 });
    setPower(world, 'demo-cp-1', 'off');
    await world.run(world.clock.sleep(120_000));
    expect((await backUp(world)).state, world.explain()).toBe('succeeded');
    setPower(world, 'demo-cp-2', 'off');
    await world.run(world.clock.sleep(120_000));
    // Not by way of a patient client: that asks again until it may.
    const asked = { cluster: 'demo', principal: 'tester', intent };
    const refused = world.daemon?.process.run(() => world.daemon?.engine.dayTwo.start(asked));
    await expect(world.run(Promise.resolve(refused))).rejects.toMatchObject({
      report: { code: 'PLAN-040', summary: expect.stringContaining('No API server answers') },
    });
  });

  it('waits for an update that runs, and neither ends it nor keeps it from being resumed (side work)', async () => {
    const world = await openWith({ masters: 1, workers: 1 });
    const wider = answerFile({ masters: 1, workers: 2 });
    const update = await world.run(
      world.request(async (engine) => {
        const file = { text: wider, file: 'cluster.yaml', principal: 'tester' };
        return (await engine.apply(file)).operations[0];
      }),
    );
    const waiting = await world.run(begin(world));
    expect(waiting).toMatchObject({ state: 'waiting', waitingFor: 'operation' });
    await world.run(world.request((engine) => engine.cancelOperation(update?.id ?? '', 'tester')));
    expect((await world.run(world.ended(waiting?.id ?? ''))).state).toBe('succeeded');
    const stopped = (await operations(world)).find(({ id }) => id === update?.id);
    expect(stopped).toMatchObject({ state: 'cancelled', isResumable: true });
    expect(stopped?.supersededBy).toBeUndefined();
    const [cluster] = await world.run(world.request((engine) => engine.listClusters()));
    expect(cluster).toMatchObject({ phase: 'Failed', operation: { id: update?.id } });
    await world.run(world.request((engine) => engine.resumeOperation(update?.id ?? '', 'tester')));
    expect((await world.run(world.ended(update?.id ?? ''))).state, world.explain()).toBe('succeeded');
    expect(clusterOf(world).machines.size).toBe(3);
  });

  it('leaves a stopped update to the same wish: applied again, it goes on under its old id', async () => {
    const world = await openWith({ masters: 1, workers: 1 });
    const file = { text: answerFile({ masters: 1, workers: 2 }), file: 'cluster.yaml', principal: 'tester' };
    const apply = () => world.run(world.request((engine) => engine.apply(file)));
    const [update] = (await apply()).operations;
    await world.run(world.request((engine) => engine.cancelOperation(update?.id ?? '', 'tester')));
    await world.run(world.ended(update?.id ?? ''));
    expect((await backUp(world)).state).toBe('succeeded');
    const [again] = (await apply()).operations;
    expect(again?.id).toBe(update?.id);
    expect((await world.run(world.ended(update?.id ?? ''))).state, world.explain()).toBe('succeeded');
  });
});

describe('one backup before masters change (DESIGN §5)', () => {
  it('takes one an operation, to where the document says, and none where no master changes', async () => {
    const backup = '{ destination: { type: path, path: { path: /mnt/backups } } }';
    const world = await openWith({ masters: 1, workers: 1, backup });
    expect((await applied(world, { masters: 1, workers: 2, backup })).state).toBe('succeeded');
    expect(backupsOf(world)).toEqual([]);
    for (const masters of [3, 1])
      expect((await applied(world, { masters, workers: 2, backup })).state, world.explain()).toBe(
        'succeeded',
      );
    expect(backupsOf(world)).toEqual(['path etcd.snapshot/cluster', 'path etcd.snapshot/cluster']);
    expect(world.fleet.violations).toEqual([]);
  });

  it('is finished before etcd, its configuration or a master is touched in an upgrade (C3)', async () => {
    const world = await openWith({ masters: 3, workers: 1, version: '1.20.2' });
    const upgrade = await applied(world, { masters: 3, workers: 1, version: '1.20.3' });
    expect(upgrade.state, `${upgrade.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const { stepList } = await world.run(world.request((engine) => engine.getOperation(upgrade.id)));
    const snapshot = stepList.find(({ kind }) => kind === 'etcd.snapshot');
    const touching = stepList.filter(
      ({ kind, role, subject }) =>
        ['control-plane.join', 'etcd-member.remove', 'kubeadm-config.upload'].includes(kind) ||
        (kind === 'node.cordon' && (role === 'control-plane' || subject.includes('-cp-'))),
    );
    expect(touching.length).toBeGreaterThan(6);
    for (const { startedAt = '' } of touching) expect(startedAt >= (snapshot?.endedAt ?? '~')).toBe(true);
    expect(world.fleet.backups).toHaveLength(1);
  });

  it('goes to the state disk where a master is dead: its replacement waits for no server (complaint 7)', async () => {
    const backup = '{ destination: { type: path, path: { path: /mnt/backups } } }';
    const world = await openWith({ masters: 3, workers: 0, backup });
    setPower(world, 'demo-cp-2', 'off');
    await world.run(world.clock.sleep(120_000));
    const change = { kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' } as const;
    const replaced = await world.run(world.change(change, 'replace'));
    expect(replaced?.state, world.explain()).toBe('succeeded');
    expect(backupsOf(world)).toEqual(['stateDisk etcd.snapshot/cluster']);
  });

  it('keeps its receipt when the operation is planned again after the death of both', async () => {
    const world = await openWith({ masters: 1, workers: 0 });
    const text = answerFile({ masters: 3, workers: 0 });
    const file = { text, file: 'cluster.yaml', principal: 'tester' };
    const { operations: begun } = await world.run(world.request((engine) => engine.apply(file)));
    await world.run(
      (async () => {
        while (world.fleet.backups.length === 0) await world.clock.sleep(100);
        await world.clock.sleep(3000);
      })(),
    );
    world.kill(['daemon', 'agent']);
    expect((await world.run(world.ended(begun[0]?.id ?? ''))).state, world.explain()).toBe('succeeded');
    expect(world.fleet.backups).toHaveLength(1);
  });
});

describe('while what backups are kept on is away', () => {
  const backup = '{ destination: { type: path, path: { path: /mnt/backups } }, schedule: "0 */6 * * *" }';
  const away = (world: World, duration: number): void => {
    const { elapsed } = world.fleet;
    world.fleet.faults.add({ kind: 'backups-away', place: 'path', from: elapsed, to: elapsed + duration });
  };

  const conditions = (world: World) =>
    world.run(world.request((engine) => engine.clusterHealth.conditions(clusterOf(world).identity.uid)));

  it('a change of masters stops before it touches etcd, says why, and goes on when it is back (complaint 2)', async () => {
    const world = await openWith({ masters: 1, workers: 0, backup });
    away(world, 3 * hour);
    const stopped = await applied(world, { masters: 3, workers: 0, backup });
    expect(stopped).toMatchObject({ state: 'failed', isResumable: true, problem: { kind: 'blocked' } });
    expect(stopped.problem?.summary).toMatch(/Nothing is mounted .*; it has been so for 15 minutes/);
    expect(stopped.problem?.remedy).toMatch(/resume the operation/);
    // Others do not wait half a night for a file server.
    expect(stopped.duration).toBeLessThan(hour / 2);
    expect(clusterOf(world).etcd.voters).toHaveLength(1);
    await pass(world, 3 * hour);
    await world.run(world.request((engine) => engine.resumeOperation(stopped.id, 'tester')));
    expect((await world.run(world.ended(stopped.id))).state, world.explain()).toBe('succeeded');
    expect(clusterOf(world).etcd.voters).toHaveLength(3);
    expect(world.fleet.violations).toEqual([]);
  }, 120_000);

  it('a dead master is replaced all the same (complaint 7)', async () => {
    const world = await openWith({ masters: 3, workers: 0, backup });
    away(world, 1000 * hour);
    setPower(world, 'demo-cp-2', 'off');
    await world.run(world.clock.sleep(120_000));
    const change = { kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' } as const;
    const replaced = await world.run(world.change(change, 'replace'));
    expect(replaced?.state, world.explain()).toBe('succeeded');
  });

  it('backups by schedule fail for all to see, and are made as soon as it is back', async () => {
    const world = await openWith({ masters: 1, workers: 0, backup });
    const now = world.clock.milliseconds();
    const untilNext = 6 * hour - (now % (6 * hour));
    away(world, untilNext + 2.2 * hour);
    await pass(world, untilNext + 0.8 * hour);
    expect((await conditions(world)).map(({ type }) => type)).not.toContain('BackupsMade');
    await pass(world, 0.7 * hour);
    const told = await conditions(world);
    await pass(world, 2 * hour);
    const states = (await scheduled(world)).map(({ state }) => state).toReversed();
    expect(states.at(0), world.explain()).toBe('failed');
    expect(states.at(-1), world.explain()).toBe('succeeded');
    expect(new Set(states.slice(0, -1))).toEqual(new Set(['failed']));
    const overdue = told.find(({ type }) => type === 'BackupsMade');
    expect(overdue).toMatchObject({
      status: 'False',
      severity: 'warning',
      message: expect.stringMatching(
        /due at .*T\d\d:00:00.000Z was not made; there is none yet\. .*Nothing is mounted/,
      ),
    });
    // Well again: nothing is said of it.
    expect((await conditions(world)).map(({ type }) => type)).not.toContain('BackupsMade');
    expect(backupsOf(world)).toEqual(['path etcd.snapshot/cluster']);
  }, 120_000);
});

describe('backups by schedule (virtual clock)', () => {
  const nightly = '{ schedule: "30 2 * * *", timeZone: Europe/Berlin, keep: { keepLast: 1 } }';

  it('makes one a night, by the clock of the zone, and keeps what it is told to', async () => {
    const world = await openWith({ masters: 1, workers: 0, backup: nightly });
    await pass(world, 2 * 24 * hour);
    const begun = (await scheduled(world)).map(
      ({ createdAt, state }) => `${state} ${createdAt.slice(11, 16)}`,
    );
    expect(begun).toHaveLength(2);
    // No later than five minutes after half past two in Berlin.
    for (const one of begun) expect(one).toMatch(/^succeeded (00:3[0-5]|01:3[0-5])$/);
    expect(world.fleet.backups).toHaveLength(1);
  }, 120_000);

  it('makes up for what was missed, once, and never has two under way, whenever the daemon dies (kill while due)', async () => {
    const world = await openWith({ masters: 1, workers: 0, backup: '{ schedule: "0 * * * *" }' });
    for (let night = 0; night < 6; night += 1) {
      await world.run(world.clock.sleep(hour - 7000 * night));
      world.kill(['daemon']);
      await world.run(world.clock.sleep(1000 * night));
      world.kill(night % 2 === 0 ? ['daemon'] : ['daemon', 'agent']);
      await world.run(world.clock.sleep(10 * 60_000));
    }
    const begun = await scheduled(world);
    expect(
      begun.every(({ state }) => state === 'succeeded'),
      world.explain(),
    ).toBe(true);
    const hours = begun.map(({ createdAt }) => createdAt.slice(0, 13));
    expect(new Set(hours).size).toBe(hours.length);
    expect(hours.length).toBeGreaterThanOrEqual(6);
    expect(world.fleet.violations).toEqual([]);
  }, 120_000);

  it('waits while an operation holds the cluster, and begins when that is over', async () => {
    const late: Fault[] = [{ kind: 'slow', machine: 'demo-general-2', factor: 40 }];
    const size = { masters: 1, workers: 1, backup: '{ schedule: "*/10 * * * *" }' };
    const world = await openWith(size, { faults: late });
    const file = { text: answerFile({ ...size, workers: 2 }), file: 'cluster.yaml', principal: 'tester' };
    const { operations: begun } = await world.run(world.request((engine) => engine.apply(file)));
    const update = await world.run(world.ended(begun[0]?.id ?? ''));
    expect(update.state, world.explain()).toBe('succeeded');
    expect(update.duration).toBeGreaterThan(10 * 60_000);
    await world.run(world.clock.sleep(5 * 60_000));
    const during = (await scheduled(world)).filter(
      ({ createdAt }) => createdAt > update.createdAt && createdAt < (update.endedAt ?? ''),
    );
    expect(during).toEqual([]);
    expect(
      (await scheduled(world)).filter(({ createdAt }) => createdAt >= (update.endedAt ?? '')),
    ).not.toEqual([]);
  }, 120_000);

  it('tells once that none can be begun, goes on trying, and has one as soon as etcd answers again', async () => {
    const world = await openWith({ masters: 1, workers: 0, backup: '{ schedule: "0 3 * * *" }' });
    setPower(world, 'demo-cp-1', 'off');
    await pass(world, 26 * hour);
    const events = await world.run(world.request((engine) => engine.events(0)));
    const told = events.filter(({ type }) => type === 'backup.postponed');
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told.length).toBeLessThanOrEqual(3);
    expect(await scheduled(world)).toEqual([]);
    setPower(world, 'demo-cp-1', 'on');
    await world.run(world.clock.sleep(20 * 60_000));
    expect(
      (await scheduled(world)).map(({ state }) => state),
      world.explain(),
    ).toEqual(['succeeded']);
  }, 120_000);
});
