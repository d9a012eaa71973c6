import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '../../../daemon/operations/requests.ts';
import { changesBetween } from '../../../daemon/operations/review.ts';
import { FakeSite } from './fake-site.ts';
import type { TinyFile } from './tiny-planners.ts';

const things = [
  { id: 'a', after: [] },
  { id: 'b', after: [] },
];

/** Takes `b` away: that needs confirmation, for nobody has seen what `b` is. */
const smaller = (approvals: number): TinyFile => ({
  name: 'one',
  things: things.slice(0, 1),
  maintenance: { approvals },
});

let site: FakeSite;
beforeEach(() => open());
afterEach(() => site.close());

async function open(approvals = 2): Promise<void> {
  site = new FakeSite();
  await site.start();
  const [first] = (await site.apply({ name: 'one', things, maintenance: { approvals } })).operations;
  expect((await site.end(first?.id ?? '')).state).toBe('succeeded');
}

async function asked(by = 'anna', file = smaller(2)): Promise<string> {
  const [operation] = (await site.apply(file, { principal: by, confirm: ['one'] })).operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation.id;
}

const view = (id: string) => site.engine.getOperation(id);
const agreed = (id: string) => view(id).agreement?.agreed.map(({ principal }) => principal);
const approve = (id: string, principal: string, more: { readonly planHash?: string } = {}) =>
  site.run(site.engine.approveOperation(id, { principal, confirm: 'one', ...more }));
const refusalOf = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
};
const removed = (id: string): boolean =>
  site.engine
    .events(0, { operation: id })
    .some(({ type, step }) => type === 'step.started' && step === 'thing.remove/b');

describe('spec.maintenance.approvals: 2 (V9, DESIGN §5)', () => {
  it('begins nothing before somebody else agrees, says who has and how many are missing, then begins', async () => {
    const id = await asked();
    expect(view(id)).toMatchObject({
      state: 'waiting',
      waitingFor: 'approval',
      toApprove: ['b'],
      agreement: { needed: 2, missing: 1, agreed: [{ principal: 'anna' }] },
      problem: { code: 'OPS-001', summary: expect.stringContaining('anna agreed, 1 is missing') },
    });
    await site.run(site.engine.observe('one'));
    expect(removed(id)).toBe(false);
    await approve(id, 'berta', { planHash: view(id).planHash });
    expect((await site.end(id)).state).toBe('succeeded');
    expect(site.agent.made.has('b')).toBe(false);
  });

  it('takes nobody for two, and no word on a plan that is not the one which waits', async () => {
    const id = await asked();
    const twice = await refusalOf(approve(id, 'anna'));
    expect(twice.problems).toMatchObject([{ code: 'OPS-017', summary: expect.stringContaining('anna') }]);
    expect((await refusalOf(approve(id, 'berta', { planHash: 'sha256:other' }))).reason).toBe('plan-changed');
    expect(
      (await refusalOf(site.run(site.engine.approveOperation(id, { principal: 'berta', confirm: 'two' }))))
        .reason,
    ).toBe('needs-confirmation');
    // Who applies the same file meanwhile gets the same operation, and has agreed to nothing by that.
    expect(await asked('carla')).toBe(id);
    expect(agreed(id)).toEqual(['anna']);
    expect(removed(id)).toBe(false);
  });

  it('keeps every word over kill -9, before and after the last one (complaint 4)', async () => {
    const file = smaller(3);
    const id = await asked('anna', file);
    site.kill();
    await site.start();
    await approve(id, 'berta');
    site.kill();
    await site.start();
    expect(agreed(id)).toEqual(['anna', 'berta']);
    expect(view(id).agreement?.missing).toBe(1);
    expect(removed(id)).toBe(false);
    await approve(id, 'carla');
    site.kill();
    await site.start();
    expect((await site.end(id)).state).toBe('succeeded');
    expect(site.agent.breaches).toEqual([]);
  });

  it('asks all anew when the plan is another by then, and says how', async () => {
    const id = await asked();
    site.agent.made.set('stranger', 'made');
    await approve(id, 'berta');
    await site.until(() => view(id).waitingFor === 'approval');
    expect(view(id)).toMatchObject({ agreement: { needed: 2, missing: 2, agreed: [] } });
    expect(view(id).problem?.summary).toContain('no longer the one that was agreed to');
    expect(view(id).problem?.summary).toContain('stranger');
    expect(removed(id)).toBe(false);
    await approve(id, 'berta');
    await approve(id, 'anna');
    expect((await site.end(id)).state).toBe('succeeded');
  });

  it('is not gone around by a file that asks for fewer in the same breath', async () => {
    const id = await asked('anna', smaller(1));
    expect(view(id)).toMatchObject({ waitingFor: 'approval', agreement: { needed: 2, missing: 1 } });
  });

  it('is not gone around by cancelling and resuming, which keeps the words on the same plan', async () => {
    const id = await asked();
    await site.run(site.engine.cancelOperation(id, 'anna'));
    expect(view(id).state).toBe('cancelled');
    await site.run(site.engine.resumeOperation(id, 'anna'));
    await site.until(() => view(id).waitingFor === 'approval');
    expect(agreed(id)).toEqual(['anna']);
    expect(removed(id)).toBe(false);
    await site.run(site.engine.cancelOperation(id, 'anna'));
    // Nor by applying again what was cancelled.
    const again = await asked();
    expect(view(again)).toMatchObject({ waitingFor: 'approval', agreement: { missing: 1 } });
    await approve(again, 'berta');
    expect((await site.end(again)).state).toBe('succeeded');
  });

  it('lets a deletion that others have still to agree to end nobody’s work', async () => {
    site.agent.held.add('thing.make/c');
    const growing: TinyFile = {
      name: 'one',
      things: [...things, { id: 'c', after: [] }],
      maintenance: { approvals: 2 },
    };
    const [running] = (await site.apply(growing)).operations;
    const first = running?.id ?? '';
    await site.until(() => site.agent.starts.some((start) => start.includes('thing.make/c')));
    const deletion = await site.run(
      site.engine.deleteCluster({ name: 'one', principal: 'anna', confirm: 'one' }),
    );
    expect(view(first).isCancelling).toBeUndefined();
    site.agent.held.clear();
    await site.run(site.engine.cancelOperation(first, 'p'));
    await site.until(() => view(deletion.id).waitingFor === 'approval');
    expect(site.agent.made.has('a')).toBe(true);
    const missing = view(deletion.id).agreement?.missing ?? 0;
    for (const principal of ['berta', 'carla'].slice(0, missing)) await approve(deletion.id, principal);
    expect((await site.end(deletion.id)).state).toBe('succeeded');
  });
});

describe('whoever agrees, whatever happens meanwhile', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('approve' as const), by: fc.constantFrom('anna', 'berta', 'carla', 'dora') }),
    fc.record({
      do: fc.constantFrom('kill' as const, 'cancel' as const, 'resume' as const, 'change' as const),
    }),
  );

  it('nothing is destroyed without the word of as many as must agree on that very plan', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 3 }),
        fc.array(action, { maxLength: 10 }),
        async (needed, actions) => {
          await site.close();
          await open(needed);
          const id = await asked('anna', smaller(needed));
          for (const [index, one] of actions.entries()) {
            if (one.do === 'kill') {
              site.kill();
              await site.start();
            } else if (one.do === 'change') site.agent.made.set(`x${index}`, 'made');
            else if (one.do === 'approve') await approve(id, one.by).catch(() => undefined);
            else if (one.do === 'cancel') await site.run(site.engine.cancelOperation(id, 'anna'));
            else await site.run(site.engine.resumeOperation(id, 'anna')).catch(() => undefined);
            await site.until(() => ['waiting', 'succeeded', 'failed', 'cancelled'].includes(view(id).state));
          }
          const { state } = site;
          const numbers = Array.from({ length: view(id).planNumber }, (_, index) => index + 1);
          const whole = numbers.filter((number) => state.approvals.list(id, number).length >= needed);
          if (removed(id)) {
            const inForce = view(id).plan;
            const isAgreed = whole.some((number) => {
              const plan = state.plans.get(id, number)?.plan;
              return plan !== undefined && changesBetween(plan, inForce).length === 0;
            });
            expect(isAgreed).toBe(true);
          } else expect(view(id).state).not.toBe('succeeded');
          expect(site.agent.breaches).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
