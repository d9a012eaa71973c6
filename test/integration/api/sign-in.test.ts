import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, FakeBrowser, goodPassword } from './fake-browser.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(() => site[Symbol.asyncDispose]());

const minute = 60_000;
const newBrowser = (): FakeBrowser =>
  new FakeBrowser({ url: site.url, certificate: site.authority.certificate });
const setupCode = (): string => readFileSync(join(site.folder, 'setup-code'), 'utf8').trim();

/** The first administrator, signed in. */
async function claim(name = 'alice'): Promise<FakeBrowser> {
  const browser = newBrowser();
  const answer = await browser.send('POST', '/api/v1/door/claim', {
    code: setupCode(),
    name,
    password: goodPassword,
  });
  expect(answer.status).toBe(201);
  return browser;
}

describe('set-up', () => {
  test('a stranger learns that the server is not claimed, and nothing else of the API', async () => {
    const answer = await newBrowser().get('/api/v1/door');
    expect(answer.json).toMatchObject({
      state: 'unclaimed',
      directories: [],
      authority: { fingerprint: site.authority.hash },
    });
    expect((await newBrowser().get('/api/v1/clusters')).status).toBe(401);
  });

  test('the code makes the first administrator once; a late visitor sees when', async () => {
    const code = setupCode();
    const alice = await claim();
    expect((await alice.get('/api/v1/session')).json).toMatchObject({
      principal: { id: 'user:alice', name: 'alice', role: 'admin', grants: {}, source: 'local' },
      secondFactor: false,
    });
    const late = await newBrowser().send('POST', '/api/v1/door/claim', {
      code,
      name: 'mallory',
      password: goodPassword,
    });
    expect([late.status, codeOf(late)]).toEqual([409, 'ACCESS-010']);
    const door = (await newBrowser().get('/api/v1/door')).json as { readonly claimedAt: string };
    expect(late.text).toContain(door.claimedAt);
    expect(() => setupCode()).toThrow();
  });

  test('of two claims at the same moment one comes in', async () => {
    const code = setupCode();
    const answers = await Promise.all(
      ['alice', 'bob'].map((name) =>
        newBrowser().send('POST', '/api/v1/door/claim', { code, name, password: goodPassword }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(site.door.people.list()).toHaveLength(1);
  });

  test('the code is taken however it is typed; a new one replaces it', async () => {
    const old = setupCode();
    const fresh = await ask(`${site.url}/api/v1/setup-code`, site.authority.certificate, {
      method: 'POST',
      token: site.admin,
    });
    const { code } = fresh.json as { readonly code: string };
    const body = { name: 'alice', password: goodPassword };
    const wrong = await newBrowser().send('POST', '/api/v1/door/claim', { ...body, code: old });
    expect([wrong.status, codeOf(wrong)]).toEqual([401, 'ACCESS-011']);
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')}`;
    expect((await newBrowser().send('POST', '/api/v1/door/claim', { ...body, code: typed })).status).toBe(
      201,
    );
  });
});

describe('people', () => {
  test('an invited person chooses her own password, once', async () => {
    const alice = await claim();
    const made = await alice.send('POST', '/api/v1/users', { name: 'bob', role: 'operator' });
    const { invitation } = made.json as { readonly invitation: { readonly code: string } };
    const bob = newBrowser();
    const accepted = await bob.send('POST', '/api/v1/door/invitation', {
      code: invitation.code,
      password: `${goodPassword} of bob`,
    });
    expect(accepted.json).toMatchObject({ principal: { id: 'user:bob', role: 'operator' } });
    expect((await bob.get('/api/v1/clusters')).status).toBe(200);
    const again = await newBrowser().send('POST', '/api/v1/door/invitation', {
      code: invitation.code,
      password: goodPassword,
    });
    expect([again.status, codeOf(again)]).toEqual([401, 'ACCESS-016']);
    expect((await newBrowser().signIn('Bob', `${goodPassword} of bob`)).status).toBe(200);
  });

  test('the last administrator stays: not removed, not disabled, not demoted', async () => {
    const alice = await claim();
    const attempts = [
      await alice.send('DELETE', '/api/v1/users/alice'),
      await alice.send('PUT', '/api/v1/users/alice', { role: 'viewer' }),
      await alice.send('PUT', '/api/v1/users/alice', { isDisabled: true }),
    ];
    expect(attempts.map(codeOf)).toEqual(['ACCESS-013', 'ACCESS-013', 'ACCESS-013']);
    // Somebody who has never signed in does not count: nobody knows whether she can.
    await alice.send('POST', '/api/v1/users', { name: 'bob', role: 'admin' });
    expect(codeOf(await alice.send('DELETE', '/api/v1/users/alice'))).toBe('ACCESS-013');
    await alice.send('POST', '/api/v1/users', { name: 'carol', role: 'admin', password: goodPassword });
    expect((await alice.send('DELETE', '/api/v1/users/alice')).status).toBe(204);
    expect((await alice.get('/api/v1/session')).status).toBe(401);
  });

  test('a role that is taken away is gone at once, and the session with it', async () => {
    const alice = await claim();
    await alice.send('POST', '/api/v1/users', { name: 'bob', role: 'operator', password: goodPassword });
    const bob = newBrowser();
    await bob.signIn('bob');
    await alice.send('PUT', '/api/v1/users/bob', { role: 'viewer' });
    expect((await bob.get('/api/v1/secrets')).status).toBe(401);
    await bob.signIn('bob');
    expect((await bob.get('/api/v1/secrets')).status).toBe(403);
    await alice.send('PUT', '/api/v1/users/bob', { isDisabled: true });
    expect((await bob.get('/api/v1/server')).status).toBe(401);
    expect(codeOf(await newBrowser().signIn('bob'))).toBe('ACCESS-007');
  });

  test("changing one's password ends all other sessions and gives this one a new cookie", async () => {
    const alice = await claim();
    const elsewhere = newBrowser();
    await elsewhere.signIn('alice');
    const before = alice.cookies.get('__Host-remuda-session');
    const next = `${goodPassword} anew`;
    const wrong = await alice.send('PUT', '/api/v1/session/password', { current: 'wrong', next });
    expect(codeOf(wrong)).toBe('ACCESS-007');
    await alice.send('PUT', '/api/v1/session/password', { current: goodPassword, next });
    expect(alice.cookies.get('__Host-remuda-session')).not.toBe(before);
    expect((await alice.get('/api/v1/session')).status).toBe(200);
    expect((await elsewhere.get('/api/v1/session')).status).toBe(401);
    expect((await newBrowser().signIn('alice')).status).toBe(401);
    expect((await newBrowser().signIn('alice', next)).status).toBe(200);
  });
});

describe('sessions', () => {
  test('end after an hour without use, and after twelve hours whatever is done', async () => {
    const alice = await claim();
    for (let hour = 0; hour < 12; hour += 1) {
      expect([hour, (await alice.get('/api/v1/session')).status]).toEqual([hour, 200]);
      site.advance(59 * minute);
    }
    site.advance(15 * minute);
    expect((await alice.get('/api/v1/session')).status).toBe(401);
    const idle = newBrowser();
    await idle.signIn('alice');
    site.advance(61 * minute);
    expect((await idle.get('/api/v1/session')).status).toBe(401);
  });

  test('what a page asks by itself does not keep one alive', async () => {
    const alice = await claim();
    for (let quarter = 0; quarter < 3; quarter += 1) {
      site.advance(19 * minute);
      await alice.send('GET', '/api/v1/clusters', undefined, { 'X-Remuda-Background': '1' });
    }
    site.advance(4 * minute);
    expect((await alice.get('/api/v1/session')).status).toBe(401);
  });

  test('signing out ends it on the server and in the browser', async () => {
    const alice = await claim();
    const kept = alice.cookies.get('__Host-remuda-session') ?? '';
    expect((await alice.send('DELETE', '/api/v1/session')).status).toBe(204);
    expect(alice.cookies.has('__Host-remuda-session')).toBe(false);
    alice.cookies.set('__Host-remuda-session', kept);
    expect((await alice.get('/api/v1/session')).status).toBe(401);
  });

  test('are listed and ended one by one: own ones by everybody, all by an administrator', async () => {
    const alice = await claim();
    await alice.send('POST', '/api/v1/users', { name: 'bob', role: 'viewer', password: goodPassword });
    const bob = newBrowser();
    await bob.signIn('bob');
    const idsOf = async (browser: FakeBrowser): Promise<string[]> =>
      ((await browser.get('/api/v1/sessions')).json as { items: { id: string }[] }).items.map(({ id }) => id);
    const [ofBob = ''] = await idsOf(bob);
    expect(await idsOf(bob)).toHaveLength(1);
    const all = await idsOf(alice);
    expect(all).toHaveLength(2);
    const ofAlice = all.find((id) => id !== ofBob) ?? '';
    expect((await bob.send('DELETE', `/api/v1/sessions/${ofAlice}`)).status).toBe(404);
    expect((await alice.send('DELETE', `/api/v1/sessions/${ofBob}`)).status).toBe(204);
    expect((await bob.get('/api/v1/session')).status).toBe(401);
  });
});

describe('second factor', () => {
  async function withFactor(): Promise<{ secret: string; recovery: readonly string[] }> {
    const alice = await claim();
    const started = await alice.send('POST', '/api/v1/session/second-factor', { password: goodPassword });
    const { secret, uri } = started.json as { readonly secret: string; readonly uri: string };
    expect(uri).toMatch(/^otpauth:\/\/totp\/Remuda:alice\?/);
    expect((await newBrowser().signIn('alice')).status).toBe(200);
    const confirmed = await alice.send('PUT', '/api/v1/session/second-factor', { code: codeNow(secret) });
    const { recoveryCodes } = confirmed.json as { readonly recoveryCodes: readonly string[] };
    site.advance(minute);
    return { secret, recovery: recoveryCodes };
  }
  let offset = 0;
  beforeEach(() => {
    offset = 0;
  });
  const codeNow = (secret: string): string =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + offset });

  test('is asked for once confirmed; a code is taken once, a recovery code too', async () => {
    const { secret, recovery } = await withFactor();
    offset = minute;
    const without = await newBrowser().signIn('alice');
    expect([without.status, codeOf(without)]).toEqual([428, 'ACCESS-008']);
    const code = codeNow(secret);
    expect((await newBrowser().signIn('alice', goodPassword, { code })).status).toBe(200);
    expect((await newBrowser().signIn('alice', goodPassword, { code })).status).toBe(428);
    const [first] = recovery;
    expect((await newBrowser().signIn('alice', goodPassword, { code: first })).status).toBe(200);
    expect((await newBrowser().signIn('alice', goodPassword, { code: first })).status).toBe(428);
  });

  test('a wrong password is told before any factor is asked for', async () => {
    await withFactor();
    const answer = await newBrowser().signIn('alice', 'not her password at all');
    expect([answer.status, codeOf(answer)]).toEqual([401, 'ACCESS-007']);
  });

  test('neither its secret nor a recovery code stands readable in the state', async () => {
    const { secret, recovery } = await withFactor();
    const kept = ['state.db', 'state.db-wal']
      .map((file) => readFileSync(join(site.folder, file)).toString('latin1'))
      .join('');
    expect(kept).toContain('user:alice');
    for (const word of [secret, goodPassword, ...recovery]) expect(kept).not.toContain(word);
  });
});
