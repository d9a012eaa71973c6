import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MaintenanceWindow, windowAt } from '../../../daemon/planning/maintenance-window.ts';
import { noMischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import type { TinyFile } from './tiny-planners.ts';

/** The fake clock starts on Saturday, 21 November 2026, 00:00 UTC. */
const saturday = (from: string, to: string, timeZone = 'UTC'): MaintenanceWindow => ({
  days: ['Fri', 'Sat'],
  from,
  to,
  timeZone,
});

const made = [
  { id: 'a', after: [] },
  { id: 'b', after: [] },
];
const added = { id: 'c', after: [] };

let site: FakeSite;
beforeEach(async () => {
  site = new FakeSite();
  await site.start();
  await create();
});
afterEach(() => site.close());

async function create(): Promise<void> {
  const [first] = (await site.apply({ name: 'one', things: made })).operations;
  expect((await site.end(first?.id ?? '')).state).toBe('succeeded');
}

/** Takes `b` away and adds `c`, under these windows; answers the operation. */
async function change(windows: readonly MaintenanceWindow[], more: Partial<TinyFile> = {}): Promise<string> {
  const [kept] = made;
  if (kept === undefined) throw new Error('nothing is made');
  const file: TinyFile = {
    name: 'one',
    things: [kept, added],
    maintenance: { windows: [...windows] },
    ...more,
  };
  const [operation] = (await site.apply(file, { confirm: ['one'] })).operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return operation.id;
}

const view = (id: string) => site.engine.getOperation(id);
const untilWaiting = (id: string): Promise<void> => site.until(() => view(id).waitingFor === 'window');
const startsOf = (id: string): { readonly step: string; readonly at: string }[] =>
  site.engine
    .events(0, { operation: id })
    .flatMap(({ type, step = '', at }) => (type === 'step.started' ? [{ step, at }] : []));

describe('spec.maintenance.windows (V9)', () => {
  it('holds what disturbs what runs, and nothing else; says until when in the zone and in UTC', async () => {
    const id = await change([saturday('02:00', '03:00', 'Europe/Berlin')]);
    await untilWaiting(id);
    expect(startsOf(id).map(({ step }) => step)).toEqual(['thing.make/c']);
    expect(site.agent.made.has('b')).toBe(true);
    expect(view(id)).toMatchObject({
      state: 'waiting',
      waitsUntil: '2026-11-21T01:00:00.000Z',
      problem: { code: 'OPS-014', summary: expect.stringContaining('"thing.remove b"') },
    });
    expect(view(id).problem?.summary).toContain('opens Sat 2026-11-21 02:00 Europe/Berlin (01:00 UTC)');
    expect(site.engine.getCluster('one').phase).toBe('Waiting');
  });

  it('goes on by itself when the window opens, by the clock of the daemon, and ends well', async () => {
    const id = await change([saturday('00:30', '01:00')]);
    expect((await site.end(id)).state).toBe('succeeded');
    const removal = startsOf(id).find(({ step }) => step === 'thing.remove/b');
    expect(removal?.at.slice(0, 19)).toMatch(/^2026-11-21T00:30:0[01]/);
    expect(site.agent.breaches).toEqual([]);
  });

  it('waits for nothing while a window is open, nor when none is asked for', async () => {
    for (const windows of [[saturday('00:00', '01:00')], []]) {
      const id = await change(windows);
      expect((await site.end(id)).state).toBe('succeeded');
      expect(site.engine.events(0, { operation: id }).map(({ type }) => type)).not.toContain(
        'operation.waiting',
      );
      await site.end(
        (await site.apply({ name: 'one', things: made }, { confirm: ['one'] })).operations[0]?.id ?? '',
      );
    }
  });

  it('goes on waiting after kill -9, and goes on by itself then (complaint 4)', async () => {
    const id = await change([saturday('00:30', '01:00')]);
    await untilWaiting(id);
    for (let round = 0; round < 3; round += 1) {
      site.kill();
      await site.start();
      await untilWaiting(id);
      expect(view(id)).toMatchObject({ state: 'waiting', waitsUntil: '2026-11-21T00:30:00.000Z' });
    }
    expect((await site.end(id)).state).toBe('succeeded');
    expect(startsOf(id).find(({ step }) => step === 'thing.remove/b')?.at).toMatch(/T00:30:0/);
  });

  it('opened while the daemon was dead: it goes on at its start', async () => {
    const id = await change([saturday('00:30', '01:00')]);
    await untilWaiting(id);
    site.kill();
    site.clock.view().clock.after(45 * 60_000, () => undefined);
    while (site.clock.now < Date.parse('2026-11-21T00:45:00Z')) site.clock.tick();
    await site.start();
    expect((await site.end(id)).state).toBe('succeeded');
    expect(startsOf(id).find(({ step }) => step === 'thing.remove/b')?.at).toMatch(/T00:45:0/);
  });

  it('lets what is under way finish when it closes, and begins nothing more', async () => {
    site.agent.mischief = { ...noMischief, duration: (thing) => (thing === 'c' ? 10 : 20 * 60_000) };
    // Two removals one after another are two operations here: the second is asked for while the first works.
    const first = await change([saturday('00:00', '00:10')]);
    await site.until(() => startsOf(first).some(({ step }) => step === 'thing.remove/b'));
    const second = await change([saturday('00:00', '00:10')], { things: [added] });
    expect((await site.end(first)).state).toBe('succeeded');
    expect(site.clock.now).toBeGreaterThan(Date.parse('2026-11-21T00:19:00Z'));
    await untilWaiting(second);
    expect(site.agent.made.has('a')).toBe(true);
  });

  it('of the newest document count: who changes them need not begin anew', async () => {
    const id = await change([saturday('09:00', '10:00')]);
    await untilWaiting(id);
    await change([]);
    expect((await site.end(id)).state).toBe('succeeded');
    expect(site.clock.now).toBeLessThan(Date.parse('2026-11-21T00:10:00Z'));
  });

  it('are gone around for one operation when somebody says so by the name of the cluster, also over a restart', async () => {
    const id = await change([saturday('09:00', '10:00')]);
    await untilWaiting(id);
    const wrong = site.run(site.engine.overrideWindow(id, { principal: 'boss', confirm: 'two' }));
    await expect(wrong).rejects.toMatchObject({ reason: 'needs-confirmation' });
    await site.run(site.engine.overrideWindow(id, { principal: 'boss', confirm: 'one' }));
    site.kill();
    await site.start();
    expect((await site.end(id)).state).toBe('succeeded');
    expect(site.clock.now).toBeLessThan(Date.parse('2026-11-21T00:10:00Z'));
    expect(view(id).outsideWindow).toBe('boss');
    const told = site.engine.events(0, { operation: id }).find(({ type }) => type.endsWith('overridden'));
    expect(told?.data).toMatchObject({ principal: 'boss' });
    const late = site.run(site.engine.overrideWindow(id, { principal: 'boss', confirm: 'one' }));
    await expect(late).rejects.toMatchObject({ problems: [{ code: 'OPS-016' }] });
  });

  it('keep nobody from cancelling, resuming, making and deleting', async () => {
    const id = await change([saturday('09:00', '10:00')]);
    await untilWaiting(id);
    await site.run(site.engine.cancelOperation(id, 'p'));
    expect((await site.end(id)).state).toBe('cancelled');
    await site.run(site.engine.resumeOperation(id, 'p'));
    await untilWaiting(id);
    const deletion = await site.run(
      site.engine.deleteCluster({ name: 'one', principal: 'p', confirm: 'one' }),
    );
    expect((await site.end(deletion.id)).state).toBe('succeeded');
    expect(site.clock.now).toBeLessThan(Date.parse('2026-11-21T00:10:00Z'));
  });

  it('waits for the agent where that is away when the window opens, and says which', async () => {
    const id = await change([saturday('00:30', '01:00')]);
    await untilWaiting(id);
    site.agent.isConnected = false;
    await site.until(() => view(id).waitingFor === 'agent');
    site.agent.hello(site.engine.acknowledgedSequence('local', site.agent.epoch));
    await untilWaiting(id);
    expect((await site.end(id)).state).toBe('succeeded');
  });
});

describe('whatever the windows, the kills and the hour', () => {
  const time = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('00', '20', '40'))
    .map(([hour, minute]) => `0${hour}:${minute}`);
  const window = fc
    .record({
      days: fc.constant<MaintenanceWindow['days']>(['Fri', 'Sat', 'Sun']),
      from: time,
      to: time,
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Europe/London'),
    })
    .filter(({ from, to }) => from !== to);

  it('nothing that disturbs begins outside a window, and everything ends (V9)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(window, { minLength: 1, maxLength: 2 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 3 }),
        async (windows, kills) => {
          const other = new FakeSite();
          const mine = site;
          site = other;
          try {
            await other.start();
            await create();
            const id = await change(windows);
            let at = other.clock.now;
            for (const minutes of kills) {
              at += minutes * 60_000;
              await other.until(() => other.clock.now >= at || view(id).endedAt !== undefined);
              other.kill();
              await other.start();
            }
            expect((await other.end(id)).state).toBe('succeeded');
            const removals = startsOf(id).filter(({ step }) => step.startsWith('thing.remove'));
            expect(removals).not.toEqual([]);
            for (const { at: began } of removals) expect(windowAt(windows, began).state).toBe('open');
            expect(other.agent.breaches).toEqual([]);
          } finally {
            await other.close();
            site = mine;
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
