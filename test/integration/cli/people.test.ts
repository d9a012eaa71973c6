import { afterEach, beforeEach, expect, test } from 'vitest';
import { goodPassword } from '../api/fake-browser.ts';
import { addFakeCluster } from '../api/fake-clusters.ts';
import { type FakeSite, startFakeSite } from '../api/fake-site.ts';
import { CommandLine } from './command.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
  addFakeCluster(site, 'demo');
});
afterEach(() => site[Symbol.asyncDispose]());

test('E1: a person signs in by name, works, is seen in the list, and logs out', async () => {
  using admin = new CommandLine(site);
  const made = await admin.run(['user', 'create', 'bob']);
  expect(made.code).toBe(0);
  expect(made.out.trim()).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}$/);
  await site.door.people.accept(made.out.trim(), goodPassword);
  expect((await admin.run(['grant', 'give', 'demo', 'user:bob', '--role', 'viewer'])).code).toBe(0);
  using bob = new CommandLine();
  const login = ['login', site.url, '--user', 'bob', '--password-stdin'];
  const unknown = await bob.run(login, { input: `${goodPassword}\n` });
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('--ca-hash')]);
  const whole = [...login, '--ca-hash', site.authority.hash];
  const wrong = await bob.run(whole, { input: 'wrong\n' });
  expect(wrong.err).toContain('ACCESS-007');
  const right = await bob.run(whole, { input: `${goodPassword}\n` });
  expect([right.code, right.out]).toEqual([0, expect.stringContaining('user:bob (user)')]);
  expect(right.out + right.err).not.toContain(goodPassword);
  const environment = { REMUDA_SERVER: site.url };
  expect((await bob.run(['get', 'clusters'], { environment })).out).toContain('demo');
  const listed = await admin.run(['access', '-o', 'json']);
  expect((JSON.parse(listed.out) as { items: unknown[] }).items).toContainEqual(
    expect.objectContaining({ principal: 'user:bob', cluster: 'demo', role: 'viewer', through: 'grant' }),
  );
  expect((await bob.run(['logout'], { environment })).out).toContain('revoked');
  expect(site.tokens.list('user:bob')).toEqual([]);
  expect((await bob.run(['get', 'clusters'], { environment })).code).toBe(2);
});

test('service accounts and their tokens: made, cut down, listed, removed', async () => {
  using admin = new CommandLine(site);
  expect((await admin.run(['service-account', 'create', 'ci', '--role', 'operator'])).code).toBe(0);
  const issued = await admin.run(['service-account', 'token', 'ci', 'nightly', '--verb', 'read']);
  const token = issued.out.trim();
  const environment = { REMUDA_SERVER: site.url, REMUDA_TOKEN: token };
  using ci = new CommandLine();
  expect((await ci.run(['get', 'clusters'], { environment })).out).toContain('demo');
  const refused = await ci.run(['secret', 'remove', 'x'], { environment });
  expect(refused.err).toContain('ACCESS-002');
  const list = await admin.run(['service-account', 'list']);
  expect(list.out).toMatch(/ci\s+operator\s+1/);
  await admin.run(['service-account', 'remove', 'ci']);
  expect((await ci.run(['get', 'clusters'], { environment })).err).toContain('ACCESS-001');
});

test('a new set-up code, while nobody has claimed the server', async () => {
  using admin = new CommandLine(site);
  const { out } = await admin.run(['setup-code']);
  await site.door.signIn.claim(
    { code: out.trim(), name: 'alice', password: goodPassword },
    { address: '127.0.0.1', browser: '', device: undefined },
  );
  expect((await admin.run(['setup-code'])).err).toContain('ACCESS-010');
});
