import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowText } from '../../../daemon/planning/maintenance-window-text.ts';
import { type MaintenanceWindow, windowAt } from '../../../daemon/planning/maintenance-window.ts';

const hour = 3_600_000;
const day = 24 * hour;
const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

const window = (
  on: readonly (typeof days)[number][],
  from: string,
  to: string,
  timeZone = 'Europe/Berlin',
): MaintenanceWindow => ({ days: on, from, to, timeZone });

const textAt = (windows: readonly MaintenanceWindow[], now: string): string =>
  windowText(windowAt(windows, now), now);

describe('a maintenance window (issue 4: windows by IANA zone, DST shown)', () => {
  it('is open from its beginning to just before its end, across midnight', () => {
    const nights = [window(['Sat'], '22:00', '04:00')];
    expect(windowAt(nights, '2026-11-21T20:59:59.999Z')).toEqual({
      state: 'closed',
      opensAt: '2026-11-21T21:00:00.000Z',
      closesAt: '2026-11-22T03:00:00.000Z',
      timeZone: 'Europe/Berlin',
    });
    const until = { state: 'open', until: '2026-11-22T03:00:00.000Z', timeZone: 'Europe/Berlin' };
    expect(windowAt(nights, '2026-11-21T21:00:00.000Z')).toEqual(until);
    expect(windowAt(nights, '2026-11-22T02:59:59.999Z')).toEqual(until);
    expect(windowAt(nights, '2026-11-22T03:00:00.000Z')).toMatchObject({
      state: 'closed',
      opensAt: '2026-11-28T21:00:00.000Z',
    });
  });

  it('opens at the jump when it is set for a time that the clock leaves out', () => {
    // Berlin, 2026-03-29: 02:00 is followed by 03:00 at 01:00 UTC.
    const early = [window(['Sun'], '02:30', '05:00')];
    const seen = windowAt(early, '2026-03-29T00:00:00.000Z');
    expect(seen).toMatchObject({ opensAt: '2026-03-29T01:00:00.000Z', closesAt: '2026-03-29T03:00:00.000Z' });
  });

  it('does not open in a week whose clock leaves all of it out', () => {
    const lost = [window(['Sun'], '02:10', '02:50')];
    expect(windowAt(lost, '2026-03-23T00:00:00.000Z')).toMatchObject({ opensAt: '2026-04-05T00:10:00.000Z' });
  });

  it('takes the first of two when the clock shows a time twice', () => {
    // Berlin, 2026-10-25: 03:00 is followed by 02:00 at 01:00 UTC.
    const twice = [window(['Sun'], '02:30', '02:45')];
    expect(windowAt(twice, '2026-10-25T00:00:00.000Z')).toMatchObject({
      opensAt: '2026-10-25T00:30:00.000Z',
      closesAt: '2026-10-25T00:45:00.000Z',
    });
    expect(windowAt(twice, '2026-10-25T01:35:00.000Z')).toMatchObject({ state: 'closed' });
    const across = [window(['Sun'], '01:00', '04:00')];
    expect(windowAt(across, '2026-10-24T23:00:00.000Z')).toMatchObject({ until: '2026-10-25T03:00:00.000Z' });
  });

  it('knows days that were left out as a whole (Apia, 2011-12-30)', () => {
    const fridays = [window(['Fri'], '10:00', '12:00', 'Pacific/Apia')];
    expect(windowAt(fridays, '2011-12-29T00:00:00.000Z')).toMatchObject({
      opensAt: '2012-01-05T20:00:00.000Z',
    });
  });

  it('joins windows that overlap or touch, and says by whose clock each end is told', () => {
    const joined = [
      window(['Sat'], '20:00', '22:00', 'UTC'),
      window(['Sat'], '22:30', '23:30'),
      window(['Sat'], '22:00', '23:00', 'UTC'),
    ];
    expect(windowAt(joined, '2026-11-21T19:00:00.000Z')).toEqual({
      state: 'closed',
      opensAt: '2026-11-21T20:00:00.000Z',
      closesAt: '2026-11-21T23:00:00.000Z',
      timeZone: 'UTC',
    });
    const late = [...joined, window(['Sun'], '00:00', '01:00')];
    expect(windowAt(late, '2026-11-21T22:10:00.000Z')).toMatchObject({ until: '2026-11-22T00:00:00.000Z' });
  });

  it('is always open without windows, and where they cover the week', () => {
    expect(windowAt([], '2026-11-21T00:00:00.000Z')).toEqual({ state: 'open' });
    const whole = [window(days, '00:00', '12:00'), window(days, '12:00', '00:00')];
    expect(windowAt(whole, '2026-03-29T01:00:00.000Z')).toEqual({ state: 'open' });
  });

  it('refuses what the answer file would have refused', () => {
    expect(() =>
      windowAt([window(['Sat'], '22:00', '23:00', 'Europe/Berln')], '2026-11-21T00:00:00.000Z'),
    ).toThrow(RangeError);
    expect(() => windowAt([window([], '22:00', '23:00')], '2026-11-21T00:00:00.000Z')).toThrow(RangeError);
  });
});

/** What a clock in a zone shows, by Intl alone: the other opinion. */
function shown(at: number, timeZone: string): { readonly weekday: string; readonly time: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return { weekday: part('weekday'), time: `${part('hour')}:${part('minute')}` };
}

/** Whether the clock's own reading lies in a window. */
function isShownInside({ days: on, from, to, timeZone }: MaintenanceWindow, at: number): boolean {
  const { weekday, time } = shown(at, timeZone);
  const today = days.findIndex((each) => each === weekday);
  const isOn = (index: number): boolean => on.some((each) => each === days[(index + 7) % 7]);
  if (from < to) return isOn(today) && from <= time && time < to;
  return (isOn(today) && from <= time) || (isOn(today - 1) && time < to);
}

/** Offset of a zone from UTC, by what its clock shows. */
function offset(at: number, timeZone: string): string {
  return (
    new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  );
}

const timeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
const zone = fc.constantFrom('UTC', ...Intl.supportedValuesOf('timeZone'));
const anyWindow = fc
  .record({
    days: fc.subarray([...days], { minLength: 1 }),
    from: timeOfDay,
    to: timeOfDay,
    timeZone: zone,
  })
  .filter(({ from, to }) => from !== to);
const anyInstant = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2037, 0) });
/** Instants around the jumps of spring and autumn, where most goes wrong. */
const nearJump = fc
  .tuple(
    fc.integer({ min: 2005, max: 2036 }),
    fc.constantFrom([2, 25], [9, 25], [10, 1], [3, 1]),
    fc.integer({ min: 0, max: 14 * 24 * 60 }),
  )
  .map(([year, [month = 0, date = 1], minutes]) => Date.UTC(year, month, date) + minutes * 60_000);
const windows = fc.array(anyWindow, { minLength: 1, maxLength: 3 });
const instantOf = (at: number): string => new Date(at).toISOString();

describe('maintenance windows over all zones and many years', () => {
  it('never open in the past, and are open at the instant that was told', () => {
    fc.assert(
      fc.property(windows, fc.oneof(anyInstant, nearJump), (some, at) => {
        const seen = windowAt(some, instantOf(at));
        if (seen.state === 'closed') {
          const opensAt = Date.parse(seen.opensAt);
          expect(opensAt).toBeGreaterThan(at);
          expect(opensAt - at).toBeLessThan(16 * day);
          const then = windowAt(some, seen.opensAt);
          expect(then).toMatchObject({ state: 'open', until: seen.closesAt });
          expect(windowAt(some, instantOf(opensAt - 1))).toMatchObject({ opensAt: seen.opensAt });
        } else if (seen.until !== undefined) {
          expect(Date.parse(seen.until)).toBeGreaterThan(at);
          expect(windowAt(some, seen.until).state).toBe('closed');
          expect(windowAt(some, instantOf(Date.parse(seen.until) - 1))).toEqual(seen);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('open and close as a clock on the wall says, whenever it does not jump', () => {
    fc.assert(
      fc.property(anyWindow, fc.oneof(anyInstant, nearJump), (one, at) => {
        fc.pre(offset(at - 2 * day, one.timeZone) === offset(at + 2 * day, one.timeZone));
        expect(windowAt([one], instantOf(at)).state).toBe(isShownInside(one, at) ? 'open' : 'closed');
      }),
      { numRuns: 500 },
    );
  });

  it('last as long as the clock says, give or take its jump', () => {
    const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
    fc.assert(
      fc.property(anyWindow, fc.oneof(anyInstant, nearJump), (one, at) => {
        const single = { ...one, days: one.days.slice(0, 1) };
        const seen = windowAt([single], instantOf(at));
        fc.pre(seen.state === 'closed');
        const lasts = Date.parse(seen.closesAt) - Date.parse(seen.opensAt);
        const told = ((minutesOf(one.to) - minutesOf(one.from) + 1440) % 1440) * 60_000;
        const jump =
          offset(Date.parse(seen.opensAt) - day, one.timeZone) !==
          offset(Date.parse(seen.closesAt) + day, one.timeZone);
        expect(lasts).toBeGreaterThan(0);
        expect(Math.abs(lasts - told)).toBeLessThanOrEqual(jump ? day : 0);
      }),
      { numRuns: 300 },
    );
  });

  it('are told in words for every state', () => {
    fc.assert(
      fc.property(windows, fc.oneof(anyInstant, nearJump), (some, at) => {
        expect(textAt(some, instantOf(at))).toMatch(
          /^(?:open at any time|(?:open until|opens) \w{3}(?: \d{4}-\d\d-\d\d)? \d\d:\d\d [\w/+-]+(?: \((?:\w{3} )?\d\d:\d\d UTC\))?, in [\d dhmin]+(?:; the clocks go (?:forward|back) by [\d hdmin]+ on \w{3} \d\d:\d\d)?)$/u,
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('a window in words', () => {
  const nights = [window(['Sat'], '22:00', '04:00')];

  it.each([
    ['2026-11-21T16:00:00.000Z', 'opens Sat 22:00 Europe/Berlin (21:00 UTC), in 5 h'],
    ['2026-11-21T22:20:00.000Z', 'open until Sun 04:00 Europe/Berlin (03:00 UTC), in 4 h 40 min'],
    ['2026-11-22T05:00:00.000Z', 'opens Sat 2026-11-28 22:00 Europe/Berlin (21:00 UTC), in 6 d 16 h'],
    [
      '2026-03-28T22:00:00.000Z',
      'open until Sun 04:00 Europe/Berlin (02:00 UTC), in 4 h; the clocks go forward by 1 h on Sun 02:00',
    ],
    [
      '2026-10-24T21:00:00.000Z',
      'open until Sun 04:00 Europe/Berlin (03:00 UTC), in 6 h; the clocks go back by 1 h on Sun 03:00',
    ],
  ])('at %s: %s', (now, text) => expect(textAt(nights, now)).toBe(text));

  it('names the day in UTC where that is another, and says nothing of UTC in UTC', () => {
    const tokyo = [window(['Sun'], '03:00', '05:00', 'Asia/Tokyo')];
    expect(textAt(tokyo, '2026-11-21T12:00:00.000Z')).toBe(
      'opens Sun 03:00 Asia/Tokyo (Sat 18:00 UTC), in 6 h',
    );
    const utc = [window(['Sun'], '03:00', '05:00', 'UTC')];
    expect(textAt(utc, '2026-11-22T02:59:50.000Z')).toBe('opens Sun 03:00 UTC, in 1 min');
    expect(textAt([], '2026-11-22T02:59:50.000Z')).toBe('open at any time');
  });
});
