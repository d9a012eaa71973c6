import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../../daemon/operations/requests.ts';
import type { PolicyOperation } from '../../../daemon/spec/schema/policy.ts';
import { policyDocumentSchema } from '../../../daemon/spec/schema/policy.ts';
import { noMischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import type { TinyFile } from './tiny-planners.ts';

/*
 * Policy bypass by a race (issue 3, proof 3): a policy that is durable before the decision must be heard by it, however
 * late it came. Here it comes at the last instant: after the daemon has looked and planned, in the very group of the
 * journal in which the request is decided, just before it.
 */
const file: TinyFile = { name: 'one', things: [{ id: 'a', after: [] }] };

let site: FakeSite;
beforeEach(async () => {
  site = new FakeSite();
  await site.start();
});
afterEach(() => site.close());

function putPolicy(operation: PolicyOperation): void {
  const spec = {
    match: { operations: [operation] },
    action: 'Deny',
    validations: [{ expression: 'false', message: 'never' }],
  };
  const document = policyDocumentSchema.parse({
    apiVersion: 'remuda.dev/v1alpha1',
    kind: 'Policy',
    metadata: { name: 'late' },
    spec,
  });
  const asJson = JSON.parse(JSON.stringify(document)) as never;
  site.state.policies.put({
    name: 'late',
    document: asJson,
    principal: 'user:root',
    updatedAt: '2026-11-21T00:00:00.000Z',
  });
}

/** From now on the next change of the journal finds a policy that was put right before it, in the same group. */
function policyBeforeNextChange(operation: PolicyOperation): void {
  const { journal } = site.state;
  const write = journal.write.bind(journal);
  journal.write = async (change) => {
    journal.write = write;
    void write(() => putPolicy(operation));
    return write(change);
  };
}

async function expectDenied(promise: Promise<unknown>): Promise<void> {
  const error: unknown = await site.run(promise).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Refusal);
  expect((error as Refusal).problems.map(({ code }) => code)).toEqual(['POLICY-001']);
}
const operations = () => site.engine.listOperations().map(({ kind, state }) => `${kind} ${state}`);

/** A cluster whose first operation has failed. */
async function failed(): Promise<string> {
  site.agent.mischief = { ...noMischief, fails: () => true };
  const [operation] = (await site.apply(file)).operations;
  const id = operation?.id ?? '';
  expect((await site.end(id)).state).toBe('failed');
  site.agent.mischief = noMischief;
  return id;
}

describe('C9: a policy that comes between the look and the decision', () => {
  test('apply of a new cluster', async () => {
    policyBeforeNextChange('CREATE');
    await expectDenied(site.engine.apply({ text: JSON.stringify(file), file: 'f', principal: 'p' }));
    expect([operations(), site.engine.listClusters()]).toEqual([[], []]);
  });

  test('resume', async () => {
    const id = await failed();
    policyBeforeNextChange('CREATE');
    await expectDenied(site.engine.resumeOperation(id, 'p'));
    expect(operations()).toEqual(['create failed']);
  });

  test('delete', async () => {
    await failed();
    policyBeforeNextChange('DELETE');
    await expectDenied(site.engine.deleteCluster({ name: 'one', confirm: 'one', principal: 'p' }));
    expect(operations()).toEqual(['create failed']);
  });

  test('approve: the work goes on waiting, and nothing is destroyed', async () => {
    site.agent.held.add('thing.make/a');
    const [operation] = (await site.apply(file)).operations;
    const id = operation?.id ?? '';
    await site.until(() => site.agent.starts.length === 1);
    site.kill();
    site.agent.made.set('stranger', 'made');
    await site.start();
    site.agent.held.clear();
    await site.until(() => site.engine.getOperation(id).waitingFor === 'approval');
    policyBeforeNextChange('CREATE');
    await expectDenied(site.engine.approveOperation(id, { principal: 'q', confirm: 'one' }));
    expect(site.engine.getOperation(id)).toMatchObject({ state: 'waiting', waitingFor: 'approval' });
    expect(site.agent.made.has('stranger')).toBe(true);
  });
});
