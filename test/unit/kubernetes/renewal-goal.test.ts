import { describe, expect, it } from 'vitest';
import { renewalGoal } from '../../../provisioners/kubernetes/renewal-goal.ts';

const now = '2026-11-21T12:00:00.000Z';
const inDays = (days: number): string => new Date(Date.parse(now) + days * 24 * 3_600_000).toISOString();
const of = (machine: string, name: string, days: number) => ({ machine, name, notAfter: inDays(days) });

describe('the goal of a renewal (H12: all on demand; complaint 13: when already expired)', () => {
  it('for all is later than all there are; authorities and kubelets do not count', () => {
    const observed = [of('m1', 'apiserver', 200), of('m2', 'apiserver', 300), of('m1', 'ca', 3000)];
    expect(renewalGoal([...observed, of('m1', 'kubelet/client', 360)], now, 'all')).toEqual({
      endsAfter: inDays(300),
      isRescue: false,
    });
  });

  it('for those that are due is the outermost threshold', () => {
    expect(renewalGoal([of('m1', 'apiserver', 200)], now, 'due')?.endsAfter).toBe(inDays(90));
  });

  it('is nothing where kubeadm renews nothing', () => {
    expect(renewalGoal([of('m1', 'ca', 10)], now, 'all')).toBeUndefined();
  });

  it.each([
    [['m1'], true],
    [[], false],
  ])('of one master, with %j expired, rescue: %s', (lost, isRescue) => {
    const observed = [of('m1', 'etcd/server', lost.length > 0 ? -1 : 10)];
    expect(renewalGoal(observed, now, 'all')).toMatchObject({ isRescue });
  });

  it.each([
    [[], false],
    [['m1'], false],
    [['m1', 'm2'], true],
    [['m1', 'm2', 'm3'], true],
  ])('of three masters, with %j expired, rescue: %s', (lost: readonly string[], isRescue) => {
    const observed = ['m1', 'm2', 'm3'].map((name) => of(name, 'etcd/peer', lost.includes(name) ? 0 : 10));
    expect(renewalGoal(observed, now, 'all')).toMatchObject({ isRescue });
  });

  it('of two masters needs both: one expired is a rescue', () => {
    const observed = [of('m1', 'apiserver', -1), of('m2', 'apiserver', 10)];
    expect(renewalGoal(observed, now, 'all')).toMatchObject({ isRescue: true });
  });

  it('is no rescue for what people alone use', () => {
    expect(renewalGoal([of('m1', 'admin.conf', -5)], now, 'all')).toMatchObject({ isRescue: false });
  });
});
