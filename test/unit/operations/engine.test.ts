import { afterEach, beforeEach, expect, test } from 'vitest';
import { Refusal } from '../../../daemon/operations/requests.ts';
import { noMischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import type { TinyFile } from './tiny-planners.ts';

const things = [
  { id: 'a', after: [] },
  { id: 'b', after: ['a'], fact: 'a' },
  { id: 'c', after: ['a'] },
  { id: 'hook', after: ['b'], isAct: true },
];
const file: TinyFile = { name: 'one', things };

let site: FakeSite;
beforeEach(async () => {
  site = new FakeSite();
  await site.start();
});
afterEach(() => site.close());

const only = <T>(items: readonly T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};

const refusalOf = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error: unknown = await site.run(promise).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
};

test('apply makes everything, a second apply of the unchanged file dispatches nothing (K3 goal, DESIGN §9)', async () => {
  const { id } = only((await site.apply(file)).operations);
  expect((await site.end(id)).state).toBe('succeeded');
  expect([...site.agent.made.keys()].sort()).toEqual(['a', 'b', 'c', 'hook']);
  expect(site.agent.dispatches.find((one) => one.key.step === 'thing.make/b')?.input).toMatchObject({
    of: 1,
  });
  const before = site.agent.dispatches.length;
  const again = await site.apply(file);
  expect(again).toEqual({ operations: [], unchanged: ['one'], stored: [] });
  expect(site.agent.dispatches.length).toBe(before);
});

test('a failing step lets running branches end, starts nothing new, points at the line, and can be resumed (H5, V8, K11)', async () => {
  site.agent.mischief = {
    ...noMischief,
    fails: (thing) => thing === 'b',
    duration: (thing) => (thing === 'c' ? 90 : 10),
  };
  const { id } = only((await site.apply(file)).operations);
  const failed = await site.end(id);
  expect(failed).toMatchObject({ state: 'failed', isResumable: true });
  expect(failed.problem).toMatchObject({
    code: 'FAKE-002',
    place: { file: 'tiny.json', line: 7, field: 'spec.things' },
  });
  expect([...site.agent.made.keys()]).toEqual(['a', 'c']);
  site.agent.mischief = noMischief;
  await site.run(site.engine.resumeOperation(id, 'p'));
  expect(await site.end(id)).toMatchObject({ state: 'succeeded', planNumber: 2 });
  expect(site.engine.getOperation(id).stepList.map((step) => step.state)).toEqual(Array(4).fill('succeeded'));
  expect(site.agent.breaches).toEqual([]);
});

test('an act that left its receipt is not run again when the operation is planned anew (DESIGN §4)', async () => {
  // The act is seen by nobody: what it "made" is not observed, only the receipt in the journal tells of it.
  const acted: TinyFile = {
    name: 'one',
    things: [
      { id: 'hook', after: [], isAct: true },
      { id: 'z', after: ['hook'] },
    ],
  };
  site.agent.mischief = { ...noMischief, fails: (thing) => thing === 'z' };
  const { id } = only((await site.apply(acted)).operations);
  expect((await site.end(id)).state).toBe('failed');
  const marks = site.agent.made;
  marks.delete('hook');
  site.agent.mischief = noMischief;
  await site.run(site.engine.resumeOperation(id, 'p'));
  marks.set('hook', 'receipt');
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.effects.filter((effect) => effect.endsWith('/hook'))).toHaveLength(1);
  expect(site.engine.getOperation(id).stepList.find((step) => step.subject === 'hook')?.state).toBe('kept');
});

test('cancel ends waits at once and then the operation; resume goes on (V8)', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  await site.run(site.engine.cancelOperation(id, 'p'));
  expect(await site.end(id)).toMatchObject({ state: 'cancelled', isResumable: true });
  site.agent.held.clear();
  await site.run(site.engine.resumeOperation(id, 'p'));
  expect((await site.end(id)).state).toBe('succeeded');
});

test('the operation and its plan are durable before anything is sent: no plan before the first crash cannot be (complaint 4)', async () => {
  const { id } = only((await site.apply(file)).operations);
  expect(site.agent.dispatches).toEqual([]);
  site.kill();
  await site.start();
  expect(site.engine.getOperation(id).plan.steps).toHaveLength(4);
  expect((await site.end(id)).state).toBe('succeeded');
});

test('a restart that would destroy what nobody agreed to asks, and goes on when a person agrees (exit code 7)', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.kill();
  site.agent.made.set('stranger', 'made');
  await site.start();
  site.agent.held.clear();
  await site.until(() => site.engine.getOperation(id).state === 'waiting');
  expect(site.engine.getOperation(id)).toMatchObject({ waitingFor: 'approval', toApprove: ['stranger'] });
  site.kill();
  await site.start();
  expect(site.engine.getOperation(id).waitingFor).toBe('approval');
  const wrong = await refusalOf(site.engine.approveOperation(id, { principal: 'q', confirm: 'other' }));
  expect(wrong.reason).toBe('needs-confirmation');
  await site.run(site.engine.approveOperation(id, { principal: 'q', confirm: 'one' }));
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.made.has('stranger')).toBe(false);
});

test('a newer revision waits for the running operation, a failed one is superseded by it (DESIGN §5)', async () => {
  site.agent.held.add('thing.make/a');
  const first = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  expect(only((await site.apply(file)).operations).id).toBe(first.id);
  site.agent.made.set('x', 'made');
  const second = only(
    (await site.apply({ ...file, things: [...things, { id: 'd', after: [] }, { id: 'x', after: [] }] }))
      .operations,
  );
  expect(second).toMatchObject({ state: 'waiting', waitingFor: 'operation' });
  site.agent.mischief = { ...noMischief, fails: (thing) => thing === 'a' && !site.agent.made.has('done') };
  site.agent.held.clear();
  const ended = await site.end(first.id);
  expect(ended).toMatchObject({ state: 'failed', supersededBy: second.id, isResumable: false });
  site.agent.mischief = noMischief;
  expect((await site.end(second.id)).state).toBe('succeeded');
  expect(site.agent.made.has('d')).toBe(true);
});

test('an absent agent is waited for and said; a replaced one loses its attempts, its successor goes on (complaint 1)', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.agent.isConnected = false;
  await site.until(() => site.engine.getOperation(id).waitingFor === 'agent');
  expect(site.engine.getOperation(id).problem?.code).toBe('AGENT-001');
  const token = await site.run(site.engine.replaceAgent({ site: 'local', principal: 'p', minutes: 5 }));
  expect(site.engine.listAgents()).toMatchObject([{ site: 'local', state: 'none', epoch: 2 }]);
  site.agent.replace();
  site.agent.held.clear();
  const enrol = { secret: token.secret, request: 'PKCS10', recipient: 'age1new', release: '1' };
  const enrolled = await site.run(site.engine.enrolAgent(enrol));
  // Killed before it had the answer on its disk, it asks the same again (complaint 3); nobody else gets an answer.
  expect(await site.run(site.engine.enrolAgent(enrol))).toEqual(enrolled);
  for (const other of [
    { ...enrol, request: 'another' },
    { ...enrol, recipient: 'age1other' },
  ])
    expect((await refusalOf(site.engine.enrolAgent(other))).report.code).toBe('AGENT-003');
  site.agent.hello(0);
  expect(await site.end(id)).toMatchObject({ state: 'succeeded' });
});

test('events and log lines are live in order and can be had again from a number', async () => {
  const live: number[] = [];
  const lines: string[] = [];
  site.engine.subscribe((item) => {
    if (item.type === 'event') live.push(item.event.number);
    else lines.push(`${item.line.number} ${item.line.text}`);
  });
  const { id } = only((await site.apply(file)).operations);
  await site.end(id);
  expect(live).toEqual(live.toSorted((one, other) => one - other));
  const replayed = site.engine.events((live[0] as number) - 1).map((event) => event.number);
  expect(replayed).toEqual(live);
  const types = new Set(site.engine.events(0, { operation: id }).map((event) => event.type));
  expect([...types]).toEqual(['operation.created', 'step.started', 'step.ended', 'operation.ended']);
  const page = await site.engine.logLines(id, 1);
  expect(page.lines.map((line) => `${line.number} ${line.text}`)).toEqual(lines.slice(1));
  expect(page.firstKept).toBe(1);
});

test('before every destructive step the cluster is looked at again, and a moved premise stops the step (DESIGN §1)', async () => {
  await site.end(only((await site.apply(file)).operations).id);
  const smaller = { ...file, things: things.filter(({ id }) => id !== 'c') };
  const before = site.agent.observations;
  // Somebody else removes it between the plan and the step: the step is not sent, the new plan has nothing to do.
  site.engine.subscribe((item) => {
    if (item.type === 'event' && item.event.type === 'operation.created') site.agent.made.delete('c');
  });
  const { id } = only((await site.apply(smaller, { confirm: ['one'] })).operations);
  expect(await site.end(id)).toMatchObject({ state: 'succeeded', planNumber: 2 });
  expect(site.agent.observations).toBeGreaterThan(before + 1);
  expect(site.agent.dispatches.some((dispatch) => dispatch.kind === 'thing.remove')).toBe(false);
});

test('a plan that cannot be made on what is seen is tried again, says why meanwhile, and goes on (complaint 1)', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.kill();
  site.agent.held.clear();
  site.agent.isBlind = true;
  await site.start();
  await site.until(() => site.engine.getOperation(id).problem !== undefined);
  expect(site.engine.getOperation(id)).toMatchObject({ state: 'running', problem: { code: 'FAKE-003' } });
  site.agent.isBlind = false;
  const end = await site.end(id);
  expect(end.state).toBe('succeeded');
  expect(end.problem).toBeUndefined();
});

test('what stays unseen for minutes ends the operation resumable, with the reason', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.kill();
  site.agent.held.clear();
  site.agent.isBlind = true;
  await site.start();
  expect(await site.end(id)).toMatchObject({
    state: 'failed',
    isResumable: true,
    problem: { code: 'FAKE-003' },
  });
});

test('an operation that waits for approval can be cancelled, and the queued newer revision then begins', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.kill();
  site.agent.made.set('stranger', 'made');
  await site.start();
  site.agent.held.clear();
  await site.until(() => site.engine.getOperation(id).waitingFor === 'approval');
  const wider = { ...file, things: [...things, { id: 'stranger', after: [] }] };
  const next = only((await site.apply(wider)).operations);
  expect(site.engine.getOperation(id)).toMatchObject({ state: 'cancelled', supersededBy: next.id });
  expect((await site.end(next.id)).state).toBe('succeeded');
  expect(site.agent.made.has('stranger')).toBe(true);
});

test('cancel while the agent is away is kept over a restart and ends when it comes back', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.agent.isConnected = false;
  await site.run(site.engine.cancelOperation(id, 'p'));
  expect(site.engine.getOperation(id).endedAt).toBeUndefined();
  site.kill();
  await site.start();
  expect(await site.end(id)).toMatchObject({ state: 'cancelled' });
  expect(site.agent.made.size).toBe(0);
});

test('an apply that finds everything as asked shows the cluster as Ready, whatever failed before', async () => {
  site.agent.mischief = { ...noMischief, fails: (thing) => thing === 'b' };
  const { id } = only((await site.apply(file)).operations);
  await site.end(id);
  expect(site.engine.getCluster('one').phase).toBe('Failed');
  // Somebody mended it by hand.
  for (const { id: thing } of things) site.agent.made.set(thing, 'made');
  expect((await site.apply(file)).unchanged).toEqual(['one']);
  expect(site.engine.getCluster('one').phase).toBe('Ready');
  expect(site.engine.getOperation(id).state).toBe('failed');
});

test('a cancel while the agent is away is recorded and shown at once, and takes effect when it is back (V8)', async () => {
  site.agent.held.add('thing.make/a');
  const { id } = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  site.agent.isConnected = false;
  await site.until(() => site.engine.getOperation(id).waitingFor === 'agent');
  const cancelled = await site.run(site.engine.cancelOperation(id, 'p'));
  expect(cancelled).toMatchObject({ state: 'waiting', waitingFor: 'agent', isCancelling: true });
  expect(site.engine.events(0).some(({ type }) => type === 'operation.cancelling')).toBe(true);
  site.agent.hello(site.engine.acknowledgedSequence('local', site.agent.epoch));
  const ended = await site.end(id);
  expect([ended.state, ended.isCancelling]).toEqual(['cancelled', undefined]);
});
