import { afterEach, describe, expect, it } from 'vitest';
import type { OperationDetail, OperationView } from '../../daemon/operations/answers.ts';
import { budget, workload } from '../fleet/drain-bench.ts';
import { field } from '../fleet/model/kubernetes.ts';
import { podsIn } from '../fleet/model/pods.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** Model time starts on Thursday, 1 January 2026, 00:00 UTC. */
const windowFrom = (from: string, to: string): string =>
  `{ windows: [{ days: [Thu], from: "${from}", to: "${to}", timeZone: Europe/Berlin }] }`;

async function openWith(maintenance: string, masters = 1, workers = 2): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters, workers, maintenance }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

async function sendingAway(
  world: World,
  kind: 'remove' | 'replace',
  machines: readonly string[],
): Promise<OperationView> {
  const change = { kind, machines, mode: 'destroy' } as const;
  const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', change };
  const { operations } = await world.run(world.request((engine) => engine.machines.change(asked)));
  const [operation] = operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

const detailOf = (world: World, id: string): Promise<OperationDetail> =>
  world.run(world.request((engine) => engine.getOperation(id)));

/** Starts of an operation's steps of one kind, as `HH:MM:SS`. */
async function startsOf(world: World, id: string, kind: string): Promise<string[]> {
  const events = await world.run(world.request((engine) => engine.events(0, { operation: id })));
  return events
    .filter(({ type, step = '' }) => type === 'step.started' && step.startsWith(`${kind}/`))
    .map(({ at }) => at.slice(11, 19));
}

const isCordoned = (world: World, name: string): boolean => {
  const [cluster] = world.fleet.clusters.values();
  const node = cluster?.objects.get({ apiVersion: 'v1', kind: 'Node', name });
  return node !== undefined && field(node, 'spec', 'unschedulable') === true;
};

describe('maintenance windows on the fleet (V9)', () => {
  it('a replacement is made at any time, and the old machine goes in the window, whoever dies meanwhile', async () => {
    const world = await openWith(windowFrom('02:00', '03:00'));
    const operation = await sendingAway(world, 'replace', ['demo-general-2']);
    await world.run(world.clock.sleep(900_000));
    const waiting = await detailOf(world, operation.id);
    expect(waiting).toMatchObject({
      state: 'waiting',
      waitingFor: 'window',
      waitsUntil: '2026-01-01T01:00:00.000Z',
    });
    expect(waiting.plan.notices.join('\n')).toContain('02:00 to 03:00 Europe/Berlin');
    expect(waiting.problem?.summary).toContain('opens Thu 2026-01-01 02:00 Europe/Berlin (01:00 UTC)');
    const [cluster] = world.fleet.clusters.values();
    expect([...(cluster?.machines.keys() ?? [])].sort()).toContain('demo-general-3');
    expect(isCordoned(world, 'demo-general-2')).toBe(false);
    for (const names of [['daemon'], ['agent'], ['daemon', 'agent']] as const) {
      world.kill(names);
      await world.run(world.clock.sleep(300_000));
      expect(await detailOf(world, operation.id)).toMatchObject({ state: 'waiting', waitingFor: 'window' });
    }
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    expect(await startsOf(world, operation.id, 'node.cordon')).toEqual([
      expect.stringMatching(/^01:00:0[01]$/),
    ]);
    expect(world.fleet.violations).toEqual([]);
  });

  it('a machine more touches nobody, and waits for nothing', async () => {
    const world = await openWith(windowFrom('22:00', '23:00'));
    const change = { kind: 'add', group: 'general', count: 1 } as const;
    const ended = await world.run(world.change(change, 'add'));
    expect(ended?.state, world.explain()).toBe('succeeded');
  });

  it('what drains when it closes goes on; when it is cancelled then, our cordon goes too', async () => {
    const world = await openWith(windowFrom('01:05', '01:10'));
    const [cluster] = world.fleet.clusters.values();
    for (const object of [workload('Deployment', 'web', 4), budget('web', { minAvailable: 4 })])
      cluster?.objects.apply(object, world.clock.milliseconds(), 'kubectl');
    if (cluster !== undefined) podsIn(world.fleet, cluster);
    const operation = await sendingAway(world, 'remove', ['demo-general-2']);
    await world.run(world.clock.sleep(1_200_000));
    expect(isCordoned(world, 'demo-general-2')).toBe(true);
    const held = await detailOf(world, operation.id);
    expect(held.state).toBe('running');
    expect(held.stepList.find(({ kind }) => kind === 'node.drain')?.state).toBe('running');
    await world.run(world.request((engine) => engine.cancelOperation(operation.id, 'tester')));
    expect((await world.run(world.ended(operation.id))).state).toBe('cancelled');
    expect(isCordoned(world, 'demo-general-2')).toBe(false);
    expect(world.fleet.violations).toEqual([]);
  });

  it('a pause lies between one machine’s end and the next one’s beginning, also over a death of the daemon', async () => {
    const world = await openWith('{ drain: { pauseBetween: 20m } }', 1, 3);
    const operation = await sendingAway(world, 'replace', ['demo-general-1', 'demo-general-2']);
    await world.run(world.clock.sleep(600_000));
    expect(await detailOf(world, operation.id)).toMatchObject({
      state: 'waiting',
      waitingFor: 'pause',
      problem: { code: 'OPS-015' },
    });
    world.kill(['daemon']);
    await world.run(world.clock.sleep(60_000));
    expect(await detailOf(world, operation.id)).toMatchObject({ state: 'waiting', waitingFor: 'pause' });
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const [first, second] = await startsOf(world, operation.id, 'node.cordon');
    const [gone] = (await detailOf(world, operation.id)).stepList
      .filter(({ kind }) => kind === 'node.remove')
      .map(({ endedAt = '' }) => Date.parse(endedAt))
      .sort();
    const begun = Date.parse(`2026-01-01T${second}Z`);
    expect(first).not.toBe(second);
    expect(begun - (gone ?? 0)).toBeGreaterThanOrEqual(20 * 60_000 - 1000);
    expect(begun - (gone ?? 0)).toBeLessThan(21 * 60_000);
    expect(world.fleet.violations).toEqual([]);
  });

  it('two must agree to take a master away: the daemon dies in between, and who leaves stays the same', async () => {
    const world = await openWith('{ approvals: 2 }', 3, 1);
    const operation = await sendingAway(world, 'replace', ['demo-cp-1']);
    await world.run(world.clock.sleep(120_000));
    expect(await detailOf(world, operation.id)).toMatchObject({
      state: 'waiting',
      waitingFor: 'approval',
      agreement: { needed: 2, missing: 1, agreed: [{ principal: 'tester' }] },
    });
    world.kill(['daemon']);
    await world.run(world.clock.sleep(60_000));
    expect(await startsOf(world, operation.id, 'machine.create')).toEqual([]);
    const request = { principal: 'other', confirm: 'demo' };
    await world.run(world.request((engine) => engine.approveOperation(operation.id, request)));
    world.kill(['daemon']);
    const ended = await world.run(world.ended(operation.id));
    expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const [cluster] = world.fleet.clusters.values();
    expect([...(cluster?.machines.keys() ?? [])].sort()).toEqual([
      'demo-cp-2',
      'demo-cp-3',
      'demo-cp-4',
      'demo-general-1',
    ]);
    expect(world.fleet.violations).toEqual([]);
  });
});
