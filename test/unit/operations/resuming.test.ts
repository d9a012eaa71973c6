import { afterEach, beforeEach, expect, test } from 'vitest';
import { noMischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import type { TinyFile } from './tiny-planners.ts';

/** Two roads side by side, and an end that needs both. */
const roads: TinyFile = {
  name: 'one',
  things: [
    { id: 'a1', after: [] },
    { id: 'a2', after: ['a1'] },
    { id: 'b1', after: [] },
    { id: 'b2', after: ['b1'] },
    { id: 'b3', after: ['b2'] },
    { id: 'end', after: ['a2', 'b3'] },
  ],
};

let site: FakeSite;
beforeEach(async () => {
  site = new FakeSite();
  await site.start();
});
afterEach(() => site.close());

/** Begins the two roads and kills the daemon when a2 waits for its machine and b1 is under way. */
async function killWhileOneWaits(file: TinyFile = roads): Promise<string> {
  site.agent.mischief = { ...noMischief, duration: (thing) => (thing === 'b1' ? 200 : 10) };
  site.agent.held.add('thing.make/a2');
  const { operations } = await site.apply(file);
  const id = operations[0]?.id ?? '';
  await site.until(() => site.agent.starts.length === 3);
  site.kill();
  return id;
}

const startsOf = (thing: string): number =>
  site.agent.starts.filter((start) => start.includes(`/${thing} `)).length;

const stateOf = (operation: string, thing: string): string | undefined =>
  site.engine.getOperation(operation).stepList.find(({ subject }) => subject === thing)?.state;

test('after a restart one step that waits holds up nothing but what comes after it (complaint 1)', async () => {
  const id = await killWhileOneWaits();
  await site.start();
  await site.until(() => stateOf(id, 'b3') === 'succeeded');
  expect(site.engine.getOperation(id)).toMatchObject({ state: 'running', planNumber: 2 });
  expect([stateOf(id, 'a2'), stateOf(id, 'end')]).toEqual(['running', 'planned']);
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  expect([startsOf('a1'), startsOf('a2'), startsOf('end')]).toEqual([1, 1, 1]);
  expect(site.agent.breaches).toEqual([]);
});

test('it may be killed again and again: the open attempt stays the same one, with the age of its wait', async () => {
  const id = await killWhileOneWaits();
  await site.start();
  await site.until(() => stateOf(id, 'b3') === 'succeeded');
  const { startedAt } = site.engine.getOperation(id).stepList.find(({ subject }) => subject === 'a2') ?? {};
  for (const plan of [3, 4]) {
    site.kill();
    await site.start();
    await site.until(() => site.engine.getOperation(id).planNumber === plan);
    expect(site.engine.getOperation(id).stepList.find(({ subject }) => subject === 'a2')).toMatchObject({
      state: 'running',
      attempt: 1,
      startedAt,
    });
  }
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  expect(startsOf('a2')).toBe(1);
});

test('an attempt that was sent something else is let end before its step is begun anew', async () => {
  // What a2 is sent names a fact of a1 while a1 is a step of the plan, and does no more when a1 is there.
  const things = roads.things.map((thing) => (thing.id === 'a2' ? { ...thing, fact: 'a1' } : thing));
  const id = await killWhileOneWaits({ ...roads, things });
  await site.start();
  await site.until(() => startsOf('a2') === 2);
  // The agent would have told of a second one beside the first.
  expect(site.agent.breaches).toEqual([]);
  const sent = new Map(
    site.agent.dispatches
      .filter(({ key }) => key.step === 'thing.make/a2')
      .map(({ key, input }) => [key.attempt, input]),
  );
  expect(sent.get(1)).toHaveProperty('of');
  expect(sent.get(2)).not.toHaveProperty('of');
  await site.until(() => stateOf(id, 'b3') === 'succeeded');
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.effects.filter((effect) => effect.endsWith('/a2'))).toHaveLength(1);
  const outcomes = site.state.attempts.list(id).filter(({ key }) => key.step === 'thing.make/a2');
  expect(outcomes.map(({ outcome }) => outcome?.state)).toEqual(['cancelled', 'succeeded']);
});

test('an attempt whose step nobody wants any more ends, is journalled, and does not fail the operation', async () => {
  const id = await killWhileOneWaits();
  // Somebody else made it: the new plan has no step for it.
  site.agent.made.set('a2', 'made');
  site.agent.mischief = { ...noMischief, fails: (thing) => thing === 'a2' };
  await site.start();
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  const attempts = site.state.attempts.list(id).filter(({ key }) => key.step === 'thing.make/a2');
  expect(attempts.map(({ outcome }) => outcome?.state)).toEqual([expect.stringMatching(/cancelled|failed/)]);
  expect(site.agent.breaches).toEqual([]);
});

test('an attempt that fails while the cluster is looked at again fails the operation, resumable', async () => {
  const id = await killWhileOneWaits();
  site.agent.isBlind = true;
  await site.start();
  await site.until(() => site.engine.getOperation(id).problem !== undefined);
  site.agent.mischief = { ...noMischief, fails: (thing) => thing === 'a2' };
  site.agent.held.clear();
  const end = await site.end(id);
  expect(end).toMatchObject({ state: 'failed', isResumable: true, problem: { code: 'FAKE-002' } });
  site.agent.isBlind = false;
  site.agent.mischief = noMischief;
  await site.run(site.engine.resumeOperation(id, 'p'));
  expect((await site.end(id)).state).toBe('succeeded');
});

test('what cannot be seen is looked for as long as something is under way, and not an hour less', async () => {
  const id = await killWhileOneWaits();
  site.agent.isBlind = true;
  await site.start();
  const begun = site.clock.now;
  await site.until(() => site.clock.now - begun > 3_600_000);
  expect(site.engine.getOperation(id)).toMatchObject({ state: 'running', problem: { code: 'FAKE-003' } });
  site.agent.isBlind = false;
  await site.until(() => stateOf(id, 'b3') === 'succeeded');
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
});

test('cancel beside an open attempt that waits ends both at once, also while the cluster is being looked at', async () => {
  const id = await killWhileOneWaits();
  site.agent.isBlind = true;
  await site.start();
  await site.until(() => site.engine.getOperation(id).problem !== undefined);
  await site.run(site.engine.cancelOperation(id, 'p'));
  const end = await site.end(id);
  expect(end).toMatchObject({ state: 'cancelled', isResumable: true });
  expect(site.state.attempts.listOpen(id)).toEqual([]);
  // Nothing that was still looking writes over the end.
  const after = site.clock.now;
  await site.until(() => site.clock.now > after || !site.clock.tick());
  expect(site.engine.getOperation(id).state).toBe('cancelled');
});

test('a plan that needs a word lets what is under way end first, then asks, with nothing under way', async () => {
  const id = await killWhileOneWaits();
  site.agent.made.set('stranger', 'made');
  await site.start();
  await site.until(() => site.engine.getOperation(id).state === 'waiting');
  expect(site.engine.getOperation(id)).toMatchObject({ waitingFor: 'approval', toApprove: ['stranger'] });
  expect(site.state.attempts.listOpen(id)).toEqual([]);
  site.agent.held.clear();
  await site.run(site.engine.approveOperation(id, { principal: 'q', confirm: 'one' }));
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.made.has('stranger')).toBe(false);
  expect(site.agent.effects.filter((effect) => effect.startsWith('thing.make/'))).toHaveLength(6);
});

test('an agent that is replaced beside open attempts loses them; the successor goes on', async () => {
  const id = await killWhileOneWaits();
  await site.start();
  await site.until(() => stateOf(id, 'b3') === 'succeeded');
  await site.run(site.engine.replaceAgent({ site: 'local', principal: 'p', minutes: 5 }));
  expect(site.state.attempts.listOpen(id)).toEqual([]);
  site.agent.replace();
  site.agent.held.clear();
  site.agent.hello(0);
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.agent.effects.filter((effect) => effect.endsWith('/b1'))).toHaveLength(1);
});

test('an agent that is replaced in the moment an intent is written gives that attempt up as well', async () => {
  const { operations } = await site.apply(roads);
  const id = operations[0]?.id ?? '';
  // Nothing was let pass since: the first intents are on their way into the journal.
  await site.run(site.engine.replaceAgent({ site: 'local', principal: 'p', minutes: 5 }));
  site.agent.replace();
  site.agent.hello(0);
  expect((await site.end(id)).state).toBe('succeeded');
  expect(site.state.attempts.list(id).every(({ outcome }) => outcome !== undefined)).toBe(true);
});

test('a premise that moves beside an open attempt: the rest is planned again at once, the attempt goes on', async () => {
  const start = { ...roads, things: roads.things.filter(({ id }) => id.startsWith('b')) };
  await site.end((await site.apply(start)).operations[0]?.id ?? '');
  site.agent.held.add('thing.make/a1');
  const changed = { ...roads, things: roads.things.filter(({ id }) => id.startsWith('a')) };
  // b3 goes by itself between the plan and the look before its removal: that plan is given up.
  site.engine.subscribe((item) => {
    if (item.type === 'event' && item.event.type === 'operation.created') site.agent.made.delete('b3');
  });
  const { operations } = await site.apply(changed, { confirm: ['one'] });
  const id = operations[0]?.id ?? '';
  await site.until(() => !['b1', 'b2', 'b3'].some((thing) => site.agent.made.has(thing)));
  expect(site.engine.getOperation(id)).toMatchObject({ state: 'running', planNumber: 2 });
  expect(stateOf(id, 'a1')).toBe('running');
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  expect(startsOf('a1')).toBe(1);
});

test('a check that was passed is not asked again about the same things when the operation goes on', async () => {
  const checked: TinyFile = {
    name: 'one',
    things: [
      { id: 'together', after: [], isCheck: true },
      { id: 'm', after: ['together'] },
      { id: 'n', after: ['m'] },
    ],
  };
  site.agent.held.add('thing.make/n');
  const { operations } = await site.apply(checked);
  const id = operations[0]?.id ?? '';
  await site.until(() => startsOf('n') === 1);
  site.kill();
  // A check leaves nothing that could be seen.
  site.agent.made.delete('together');
  await site.start();
  await site.until(() => site.engine.getOperation(id).planNumber === 2);
  expect(stateOf(id, 'together')).toBe('kept');
  site.agent.made.set('together', 'passed');
  site.agent.held.clear();
  expect((await site.end(id)).state).toBe('succeeded');
  expect(startsOf('together')).toBe(1);
});
