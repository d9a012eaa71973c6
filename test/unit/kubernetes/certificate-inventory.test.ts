import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  certificateInventory,
  certificateThresholds,
} from '../../../provisioners/kubernetes/certificate-inventory.ts';

const now = '2026-11-21T12:00:00.000Z';
const day = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.parse(now) + days * day).toISOString();
const of = (name: string, days: number, machine = 'm1') => ({ machine, name, notAfter: inDays(days) });

describe('certificate inventory (complaint 13: warnings at 90, 30 and 7 days)', () => {
  it.each([
    [90.001, 'ok'],
    [90, 'notice'],
    [30.001, 'notice'],
    [30, 'warning'],
    [7.001, 'warning'],
    [7, 'critical'],
    [0.001, 'critical'],
    [0, 'expired'],
    [-400, 'expired'],
  ])('%d days before the end it is %s', (days, level) => {
    expect(certificateInventory([of('apiserver', days)], now)).toMatchObject({
      level,
      certificates: [{ level, keeper: 'kubeadm', remaining: Math.round(days * day) }],
    });
  });

  it('tells who renews what, and when a renewal is due', () => {
    const inventory = certificateInventory(
      [of('ca', 3000), of('apiserver', 200), of('kubelet/client', 20), of('etcd/server', 100), of('own', 1)],
      now,
    );
    expect(inventory.certificates.map(({ name, keeper }) => [name, keeper])).toEqual([
      ['own', 'somebody else'],
      ['kubelet/client', 'kubelet'],
      ['etcd/server', 'kubeadm'],
      ['apiserver', 'kubeadm'],
      ['ca', 'rotation'],
    ]);
    expect(inventory.renewalDue).toBe(inDays(10));
  });

  it('says nothing of a kubelet whose renewal is still to come, and speaks when it did not come', () => {
    expect(certificateInventory([of('kubelet/client', 60)], now).level).toBe('ok');
    expect(certificateInventory([of('kubelet/client', 29)], now).level).toBe('warning');
  });

  it('says nothing of what a kubelet signed for itself, which nobody checks', () => {
    const { level, certificates } = certificateInventory(
      [of('kubelet/server', -3), of('kubelet/serving', 2)],
      now,
    );
    expect(level).toBe('critical');
    expect(certificates.map((each) => each.level)).toEqual(['ok', 'critical']);
  });

  it('is well and due for nothing where there is none', () => {
    expect(certificateInventory([], now)).toEqual({ certificates: [], level: 'ok' });
  });

  const certificate = fc.record({
    machine: fc.constantFrom('m1', 'm2', 'm3'),
    name: fc.constantFrom(
      'apiserver',
      'etcd/server',
      'ca',
      'kubelet/client',
      'kubelet/server',
      'admin.conf',
      'strange',
    ),
    notAfter: fc.integer({ min: -1000, max: 4000 }).map((quarters) => inDays(quarters / 4)),
  });

  it('keeps every certificate, the first to end first, the worst level on top', () => {
    const order = [...certificateThresholds.map(({ level }) => level), 'ok'];
    fc.assert(
      fc.property(fc.array(certificate), (observed) => {
        const { certificates, level } = certificateInventory(observed, now);
        expect(certificates.map(({ machine, name, notAfter }) => ({ machine, name, notAfter }))).toEqual(
          expect.arrayContaining(observed),
        );
        expect(certificates).toHaveLength(observed.length);
        const remaining = certificates.map((each) => each.remaining);
        expect(remaining).toEqual([...remaining].sort((a, b) => a - b));
        const worst = Math.min(order.length - 1, ...certificates.map((each) => order.indexOf(each.level)));
        expect(level).toBe(order[worst]);
      }),
    );
  });

  it('never gets better while time passes, whatever order they come in', () => {
    const order = [...certificateThresholds.map(({ level }) => level), 'ok'];
    fc.assert(
      fc.property(fc.array(certificate, { minLength: 1 }), fc.nat({ max: 900 }), (observed, days) => {
        const before = certificateInventory(observed, now);
        const after = certificateInventory([...observed].reverse(), inDays(days));
        expect(order.indexOf(after.level)).toBeLessThanOrEqual(order.indexOf(before.level));
        expect(after.renewalDue).toBe(before.renewalDue);
        const names = (each: { machine: string; name: string; notAfter: string }): string =>
          `${each.notAfter} ${each.machine} ${each.name}`;
        expect(after.certificates.map(names)).toEqual(before.certificates.map(names));
      }),
    );
  });
});
