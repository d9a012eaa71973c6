import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  certificateLife,
  newEnoughSince,
  renewalGoal,
} from '../../../provisioners/kubernetes/renewal-goal.ts';

const now = '2026-11-21T12:00:00.000Z';
const day = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.parse(now) + days * day).toISOString();
const of = (machine: string, name: string, days: number) => ({ machine, name, notAfter: inDays(days) });

describe('the goal of a renewal (H12: all on demand; complaint 13: when already expired)', () => {
  it('calls new what was made since the beginning of the day before, whenever one asks', () => {
    expect(newEnoughSince(now)).toBe('2026-11-20T00:00:00.000Z');
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }), (date) => {
        const since = Date.parse(newEnoughSince(date.toISOString()));
        expect(date.getTime() - since).toBeGreaterThanOrEqual(day);
        expect(date.getTime() - since).toBeLessThan(2 * day);
      }),
    );
  });

  it('is met by what was made since, and by nothing older', () => {
    fc.assert(
      fc.property(fc.integer({ min: -400 * day, max: 400 * day }), (age) => {
        const since = newEnoughSince(now);
        const made = Date.parse(since) + age;
        const { endsAfter } = renewalGoal([], now, since);
        // X.509 counts whole seconds.
        const notAfter = Math.floor((made + certificateLife) / 1000) * 1000;
        if (age >= 0) expect(notAfter).toBeGreaterThan(Date.parse(endsAfter));
        if (age < -120_000) expect(notAfter).toBeLessThan(Date.parse(endsAfter));
      }),
    );
  });

  it.each([
    [['m1'], true],
    [[], false],
  ])('of one master, with %j expired, rescue: %s', (lost, isRescue) => {
    const observed = [of('m1', 'etcd/server', lost.length > 0 ? -1 : 10)];
    expect(renewalGoal(observed, now, now)).toMatchObject({ isRescue });
  });

  it.each([
    [[], false],
    [['m1'], false],
    [['m1', 'm2'], true],
    [['m1', 'm2', 'm3'], true],
  ])('of three masters, with %j expired, rescue: %s', (lost: readonly string[], isRescue) => {
    const observed = ['m1', 'm2', 'm3'].map((name) => of(name, 'etcd/peer', lost.includes(name) ? 0 : 10));
    expect(renewalGoal(observed, now, now)).toMatchObject({ isRescue });
  });

  it('of two masters needs both: one expired is a rescue', () => {
    const observed = [of('m1', 'apiserver', -1), of('m2', 'apiserver', 10)];
    expect(renewalGoal(observed, now, now)).toMatchObject({ isRescue: true });
  });

  it('is no rescue for what people alone use', () => {
    expect(renewalGoal([of('m1', 'admin.conf', -5)], now, now)).toMatchObject({ isRescue: false });
  });
});
