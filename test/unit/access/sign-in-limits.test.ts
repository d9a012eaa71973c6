import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SignInLimits } from '../../../daemon/access/sign-in-limits.ts';

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
      const limits = new SignInLimits(() => now);
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
  const limits = new SignInLimits(() => now);
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
  const limits = new SignInLimits(() => 0);
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
  const limits = new SignInLimits(() => now);
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

test('two hundred thousand names and addresses leave bounded memory behind', () => {
  const limits = new SignInLimits(() => 0);
  for (let index = 0; index < 200_000; index += 1) {
    isAdmitted(limits, `name-${index}`, `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`);
    limits.failed(`name-${index}`);
  }
  expect(limits.remembered).toBeLessThanOrEqual(20_000);
});
