import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SignInLimits } from '../../../daemon/access/sign-in-limits.ts';
import type { SignInLimitRecord } from '../../../daemon/state/sign-in-limits.ts';

/** Rows as the state keeps them; `records` of a process before are given to the next one. */
class FakeRecords {
  readonly rows = new Map<string, SignInLimitRecord>();
  load(before: number): readonly SignInLimitRecord[] {
    for (const { key, at } of this.rows.values()) if (at < before) this.rows.delete(key);
    return [...this.rows.values()].toSorted((one, other) => one.at - other.at);
  }
  put(record: SignInLimitRecord): void {
    this.rows.set(record.key, record);
  }
  remove(key: string): void {
    this.rows.delete(key);
  }
}
const limitsAt = (now: () => number, records = new FakeRecords()): SignInLimits =>
  new SignInLimits({ now, records, keyOf: (subject) => subject });

const isAdmitted = (limits: SignInLimits, account: string, address: string, device?: string): boolean => {
  try {
    limits.admit(account, { address, device });
    return true;
  } catch {
    return false;
  }
};

test('whatever strangers do, a known device gets in whenever it has not tried much itself', () => {
  const attempt = fc.record({
    address: fc.ipV4(),
    account: fc.constantFrom('alice', 'bob'),
    after: fc.nat(100_000),
  });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 400 }), (attempts) => {
      let now = 1_000_000;
      const limits = limitsAt(() => now);
      for (const { address, account, after } of attempts) {
        now += after;
        if (isAdmitted(limits, account, address)) limits.failed(account);
      }
      expect(isAdmitted(limits, 'alice', '10.0.0.1', 'her-device')).toBe(true);
    }),
  );
});

test('one address has ten tries at once and ten a minute; a whole IPv6 network counts as one', () => {
  let now = 0;
  const limits = limitsAt(() => now);
  const count = (addressOf: (index: number) => string): number =>
    Array.from({ length: 100 }, (_, index) => isAdmitted(limits, `name-${index}`, addressOf(index))).filter(
      Boolean,
    ).length;
  expect(count(() => '192.0.2.1')).toBe(10);
  expect(count(() => '::ffff:192.0.2.1')).toBe(0);
  expect(count((index) => `2001:db8::${index.toString(16)}`)).toBe(10);
  expect(count((index) => `2001:db8:0:1::${index.toString(16)}`)).toBe(10);
  now += 60_000;
  expect(count(() => '192.0.2.1')).toBe(10);
});

test('a try for which nobody could be asked is given back, and no more than that', () => {
  const limits = limitsAt(() => 0);
  const caller = { address: '192.0.2.1', device: undefined };
  for (let index = 0; index < 30; index += 1) {
    limits.admit('alice', caller);
    limits.giveBack(caller);
  }
  limits.giveBack(caller);
  const admitted = Array.from({ length: 20 }, () => isAdmitted(limits, 'alice', '192.0.2.1'));
  expect(admitted.filter(Boolean)).toHaveLength(10);
});

test('an account that many addresses guess at waits longer each time, and five minutes at most', () => {
  let now = 0;
  const limits = limitsAt(() => now);
  const waits: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const address = `198.51.100.${index}`;
    const before = now;
    while (!isAdmitted(limits, 'alice', address)) now += 1_000;
    waits.push(now - before);
    limits.failed('alice');
  }
  expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  expect(waits.slice(5, 9)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(Math.max(...waits)).toBe(300_000);
  limits.succeeded('alice');
  expect(isAdmitted(limits, 'alice', '203.0.113.9')).toBe(true);
});

test('two hundred thousand names and addresses leave bounded memory and rows behind', () => {
  const records = new FakeRecords();
  const limits = limitsAt(() => 0, records);
  for (let index = 0; index < 200_000; index += 1) {
    isAdmitted(limits, `name-${index}`, `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`);
    limits.failed(`name-${index}`);
  }
  expect(limits.remembered).toBeLessThanOrEqual(20_000);
  expect(records.rows.size).toBe(limits.remembered);
});

test('a restart is no fresh budget, at whatever moment it comes', () => {
  const attempt = fc.record({ after: fc.nat(20_000), isRestart: fc.boolean(), address: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 150 }), (attempts) => {
      let now = 1_000_000;
      const [kept, never] = [new FakeRecords(), new FakeRecords()];
      let restarted = limitsAt(() => now, kept);
      const steady = limitsAt(() => now, never);
      for (const { after, isRestart, address } of attempts) {
        now += after;
        if (isRestart) restarted = limitsAt(() => now, kept);
        const from = `192.0.2.${address}`;
        const isLetIn = isAdmitted(restarted, 'alice', from);
        expect(isLetIn).toBe(isAdmitted(steady, 'alice', from));
        if (!isLetIn) continue;
        restarted.failed('alice');
        steady.failed('alice');
      }
    }),
  );
});

test('a clock that was set back makes nobody wait for longer than the longest wait', () => {
  let now = 10 * 3_600_000;
  const records = new FakeRecords();
  const before = limitsAt(() => now, records);
  for (let index = 0; index < 15; index += 1) before.failed('alice');
  now -= 9 * 3_600_000;
  const after = limitsAt(() => now, records);
  expect(isAdmitted(after, 'alice', '192.0.2.1')).toBe(false);
  now += 300_000;
  expect(isAdmitted(after, 'alice', '192.0.2.1')).toBe(true);
});
