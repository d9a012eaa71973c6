import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupDueAt } from '../../../daemon/planning/backup-schedule.ts';

const minute = 60_000;
const at = (text: string): number => Date.parse(text);
const iso = (time: number | undefined): string => new Date(time ?? 0).toISOString();
const nightly = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };

describe('when a backup by schedule is due', () => {
  it('goes by the clock of the zone, in summer and in winter, and over the hour that is left out', () => {
    const due = (since: string): string => iso(backupDueAt(nightly, { since: at(since) }, 0));
    expect(due('2026-01-10T12:00:00Z')).toBe('2026-01-11T01:30:00.000Z');
    expect(due('2026-07-10T12:00:00Z')).toBe('2026-07-11T00:30:00.000Z');
    // Berlin, 2026-03-29: 02:00 is followed by 03:00 at 01:00 UTC.
    expect(due('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('counts from when the schedule was asked for, not from a backup under an earlier one', () => {
    const last = { begunAt: at('2026-01-10T00:00:00Z'), endedAt: at('2026-01-10T00:01:00Z'), failures: 0 };
    const since = at('2026-01-10T15:00:00Z');
    expect(iso(backupDueAt({ cron: '0 4 * * *', timeZone: 'UTC' }, { since, last }, 0))).toBe(
      '2026-01-11T04:00:00.000Z',
    );
  });

  it('tries one that failed again, later each time, and no later than the schedule says anyhow', () => {
    const begunAt = at('2026-01-10T01:30:00Z');
    const after = (failures: number): string =>
      iso(
        backupDueAt(nightly, { since: 0, last: { begunAt, endedAt: begunAt + minute, failures } }, 0),
      ).slice(11, 16);
    expect([1, 2, 3, 4, 5, 6].map(after)).toEqual(['01:46', '02:01', '02:31', '03:31', '05:31', '05:31']);
    const often = { cron: '*/5 * * * *', timeZone: 'UTC' };
    expect(iso(backupDueAt(often, { since: 0, last: { begunAt, endedAt: begunAt, failures: 9 } }, 0))).toBe(
      '2026-01-10T01:35:00.000Z',
    );
  });

  it('begins one a period and no more, however late it is looked, and never before its time', () => {
    const schedule = fc.record({
      cron: fc.constantFrom('30 2 * * *', '*/7 * * * *', '0 */6 * * *', '15 3 * * 1', '59 23 31 * *'),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'),
    });
    const story = fc.record({
      schedule,
      since: fc.integer({ min: at('2025-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') }),
      spread: fc.double({ min: 0, max: 0.999, noNaN: true }),
      late: fc.array(fc.integer({ min: 0, max: 3 * 24 * 60 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(story, ({ schedule: asked, since, spread, late }) => {
        let begunAt: number | undefined;
        for (const minutes of late) {
          const last = begunAt === undefined ? {} : { last: { begunAt, endedAt: begunAt, failures: 0 } };
          const due = backupDueAt(asked, { since, ...last }, spread) ?? Number.NaN;
          expect(due).toBeGreaterThan(begunAt ?? since);
          // The delay is small against the period, and never more than five minutes.
          const plain = backupDueAt(asked, { since, ...last }, 0) ?? Number.NaN;
          expect(due - plain).toBeLessThanOrEqual(5 * minute);
          expect(plain % minute).toBe(0);
          begunAt = due + minutes * minute;
        }
        const next = backupDueAt(
          asked,
          { since, last: { begunAt: begunAt ?? since, endedAt: begunAt ?? since, failures: 0 } },
          0,
        );
        // What was missed is made up for once: the next lies ahead.
        expect(next).toBeGreaterThan(begunAt ?? since);
      }),
    );
  });
});
