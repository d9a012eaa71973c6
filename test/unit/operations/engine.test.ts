import { afterEach, beforeEach, expect, test } from 'vitest';
import { Refusal } from '../../../daemon/operations/requests.ts';
import { noMischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import { type TinyFile, tinyText } from './tiny-planners.ts';

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

test('a destructive plan is refused without the cluster name and runs with it (DESIGN §3)', async () => {
  await site.end(only((await site.apply(file)).operations).id);
  const smaller = { ...file, destroyLimit: 0, things: things.slice(0, 3) };
  const refused = await refusalOf(site.engine.apply({ text: tinyText(smaller), file: 't', principal: 'p' }));
  expect(refused.reason).toBe('needs-confirmation');
  expect(refused.message).toContain('hook');
  const { id } = only((await site.apply(smaller, { confirm: ['one'] })).operations);
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.made.has('hook')).toBe(false);
});

test('apply --plan runs exactly the reviewed plan or says what changed; keys are drawn once (complaint 4, V1)', async () => {
  const request = { text: tinyText(file), file: 't', principal: 'p' };
  const plan = await site.run(site.engine.plan(request));
  const same = await site.run(site.engine.plan(request));
  expect(same.hash).toBe(plan.hash);
  site.agent.made.set('a', 'made');
  const refused = await refusalOf(site.engine.apply({ ...request, planHash: plan.hash }));
  expect(refused.reason).toBe('plan-changed');
  expect(refused.changes.join('\n')).toContain('no longer a step: thing.make a');
  expect(site.agent.dispatches).toEqual([]);
  site.agent.made.clear();
  const { id } = only((await site.apply(file, { planHash: plan.hash })).operations);
  expect((await site.end(id)).planHash).toBe(plan.hash);
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

test('delete interrupts a creation, asks for the name, refuses a protected cluster, frees the name (C1)', async () => {
  site.agent.held.add('thing.make/a');
  const creation = only((await site.apply(file)).operations);
  await site.until(() => site.agent.starts.length === 1);
  expect((await refusalOf(site.engine.deleteCluster({ name: 'one', principal: 'p' }))).reason).toBe(
    'needs-confirmation',
  );
  const deletion = await site.run(site.engine.deleteCluster({ name: 'one', principal: 'p', confirm: 'one' }));
  expect((await site.end(creation.id)).state).toBe('cancelled');
  expect((await site.end(deletion.id)).state).toBe('succeeded');
  expect(site.agent.made.size).toBe(0);
  expect(site.engine.listClusters()).toEqual([]);
  const again = only((await site.apply({ ...file, protected: true })).operations);
  expect(again.cluster.uid).not.toBe(creation.cluster.uid);
  const refused = await refusalOf(site.engine.deleteCluster({ name: 'one', principal: 'p', confirm: 'one' }));
  expect(refused.report).toMatchObject({ code: 'OPS-010', place: { line: 7 } });
});

test('an idempotency key gets the same answer and starts nothing twice; another request under it is refused (C4)', async () => {
  const first = only((await site.apply(file, { idempotencyKey: 'k' })).operations);
  await site.end(first.id);
  const again = await site.apply(file, { idempotencyKey: 'k' });
  expect(only(again.operations).id).toBe(first.id);
  const other = { ...file, note: 'other' };
  const refused = await refusalOf(
    site.engine.apply({ text: tinyText(other), file: 'tiny.json', principal: 'p', idempotencyKey: 'k' }),
  );
  expect(refused.reason).toBe('conflict');
});

test('a stale revision is refused and says which one is there', async () => {
  await site.end(only((await site.apply(file, { ifRevision: 0 })).operations).id);
  const request = { text: tinyText({ ...file, note: 'n' }), file: 't', principal: 'p' };
  expect((await refusalOf(site.engine.apply({ ...request, ifRevision: 0 }))).report.code).toBe('OPS-004');
  expect((await site.apply({ ...file, note: 'n' }, { ifRevision: 1 })).stored).toEqual(['Cluster/one']);
  expect(site.engine.getCluster('one').revision).toBe(2);
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

test('secrets are sealed on arrival, bound to their destination, handed only where they belong, never shown (K8)', async () => {
  const canary = 'hunter2-canary';
  const withSecret: TinyFile = {
    ...file,
    secret: 'login',
    server: 'vc1',
    given: { login: { password: canary } },
  };
  const { id } = only((await site.apply(withSecret)).operations);
  await site.end(id);
  expect(site.agent.dispatches[0]?.context.secrets['login']).toContain('age1fake');
  expect(site.engine.listSecrets()).toMatchObject([
    { name: 'login', keys: ['password'], destination: 'vc1' },
  ]);
  const { given: _given, ...moved } = withSecret;
  const refused = await refusalOf(
    site.engine.apply({ text: tinyText({ ...moved, server: 'evil' }), file: 't', principal: 'p' }),
  );
  expect(refused.report.code).toBe('SECRET-002');
  expect((await refusalOf(site.engine.removeSecret('login', 'p'))).reason).toBe('conflict');
  expect(
    JSON.stringify([site.engine.getOperation(id), site.engine.getCluster('one'), site.engine.events(0)]),
  ).not.toContain(canary);
  expect(site.state.database.serialize().includes(canary)).toBe(false);
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

test('a delete repeated under its key gets the same operation, also when the cluster is gone by then (C4)', async () => {
  await site.end(only((await site.apply(file)).operations).id);
  const request = { name: 'one', principal: 'p', confirm: 'one', idempotencyKey: 'd' };
  const first = await site.run(site.engine.deleteCluster(request));
  expect((await site.end(first.id)).state).toBe('succeeded');
  expect((await site.run(site.engine.deleteCluster(request))).id).toBe(first.id);
  expect((await refusalOf(site.engine.deleteCluster({ ...request, idempotencyKey: 'e' }))).reason).toBe(
    'not-found',
  );
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

test('without an agent nothing is accepted that nobody could carry out, and the refusal says so', async () => {
  site.agent.isConnected = false;
  const request = { text: tinyText(file), file: 't', principal: 'p' };
  const refused = await refusalOf(site.engine.apply(request));
  expect(refused).toMatchObject({ reason: 'unavailable', report: { code: 'AGENT-001' } });
  expect(site.engine.listClusters()).toEqual([]);
  expect(site.engine.listOperations()).toEqual([]);
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

test('an invalid file is refused with every problem and leaves nothing behind', async () => {
  const refused = await refusalOf(site.engine.apply({ text: 'not a file', file: 'x.json', principal: 'p' }));
  expect(refused).toMatchObject({ reason: 'invalid', problems: [{ code: 'TINY-001' }] });
  expect(site.engine.validate('not a file', 'x.json').problems).toHaveLength(1);
  expect(site.engine.listProviders()).toEqual([]);
});

test('preflight answers all findings of what can be checked now, and leaves nothing behind (DESIGN §7)', async () => {
  const checked: TinyFile = {
    name: 'one',
    things: [
      { id: 'room', after: [], isCheck: true },
      { id: 'supplies', after: [], isCheck: true },
      { id: 'm', after: ['room'] },
      { id: 'machine', after: ['m'], fact: 'm', isCheck: true },
    ],
  };
  const request = { text: tinyText(checked), file: 't', principal: 'p' };
  site.agent.refused.add('supplies');
  const before = site.engine.events(0).length;
  const answer = await site.run(site.engine.preflight(request));
  const [cluster] = answer.clusters;
  expect(cluster?.checks.map(({ findings }) => findings[0]?.outcome)).toEqual(['passed', 'failed']);
  expect(cluster?.later).toEqual(['thing.make machine']);
  expect(answer.isPassed).toBe(false);
  site.agent.refused.clear();
  expect((await site.run(site.engine.preflight(request))).isPassed).toBe(true);
  expect([site.agent.dispatches, site.engine.listClusters(), site.engine.listOperations()]).toEqual([
    [],
    [],
    [],
  ]);
  expect(site.engine.events(0).length).toBe(before);
  expect(site.state.clusters.findDraft('one')).toBeUndefined();
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
