import { afterEach, beforeEach, expect, test } from 'vitest';
import { Refusal } from '../../../daemon/operations/requests.ts';
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

test('without an agent nothing is accepted that nobody could carry out, and the refusal says so', async () => {
  site.agent.isConnected = false;
  const request = { text: tinyText(file), file: 't', principal: 'p' };
  const refused = await refusalOf(site.engine.apply(request));
  expect(refused).toMatchObject({ reason: 'unavailable', report: { code: 'AGENT-001' } });
  expect(site.engine.listClusters()).toEqual([]);
  expect(site.engine.listOperations()).toEqual([]);
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
