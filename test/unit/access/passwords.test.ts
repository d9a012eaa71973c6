import { expect, test } from 'vitest';
import { Passwords } from '../../../daemon/access/passwords.ts';

test('a kept password is argon2id with its cost beside it, and never the same twice', async () => {
  const passwords = new Passwords();
  const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(two);
  expect(await passwords.isRight('correct horse', one, false)).toBe(true);
  expect(await passwords.isRight('correct horse', two, false)).toBe(true);
  expect(await passwords.isRight('Correct horse', one, false)).toBe(false);
});

test('the same text in another Unicode form is the same password', async () => {
  const passwords = new Passwords();
  const kept = await passwords.hash('Z\u00fcrich ist sch\u00f6n');
  expect(await passwords.isRight('Zu\u0308rich ist scho\u0308n', kept, false)).toBe(true);
});

test.each([undefined, '', 'no PHC string', '$argon2id$v=19$m=8,t=1,p=1$YWJj$YWJj'])(
  'what is kept as "%s" is opened by nothing, not even by nothing',
  async (kept) => {
    const passwords = new Passwords();
    for (const typed of ['', 'x', kept ?? ''])
      expect(await passwords.isRight(typed, kept, false)).toBe(false);
  },
);

test('a flood fills the line of strangers and no more; a known device does not stand in it', async () => {
  const passwords = new Passwords(2);
  const kept = await passwords.hash('right');
  const ended: string[] = [];
  const flood = Array.from({ length: 60 }, (_, index) =>
    passwords.isRight(`wrong ${index}`, kept, false).then(
      () => ended.push('wrong'),
      () => ended.push('refused'),
    ),
  );
  const owner = passwords.isRight('right', kept, true).then((isRight) => ended.push(`owner ${isRight}`));
  await Promise.all([...flood, owner]);
  // Two at work and twenty-four in line.
  expect(ended.filter((word) => word === 'wrong')).toHaveLength(26);
  expect(ended.filter((word) => word === 'refused')).toHaveLength(34);
  // She goes before the whole line: only those at work when she came may be done.
  const done = ended.filter((word) => word !== 'refused');
  expect(done.indexOf('owner true')).toBeLessThan(6);
});
