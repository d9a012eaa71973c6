import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDoor } from '../../../daemon/access/door.ts';
import { codeOf, goodPassword } from './fake-browser.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';
import { browserOf, owner, sessionName, signedIn } from './visitors.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(() => site[Symbol.asyncDispose]());

describe('attacks: guessing', () => {
  test('set-up codes: five tries a minute in all, whoever asks; the right one waits too', async () => {
    const code = readFileSync(join(site.folder, 'setup-code'), 'utf8').trim();
    const body = { name: 'alice', password: goodPassword };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1)
      statuses.push(
        (await browserOf(site).send('POST', '/api/v1/door/claim', { ...body, code: `0000-${attempt}` }))
          .status,
      );
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const early = await browserOf(site).send('POST', '/api/v1/door/claim', { ...body, code });
    expect([early.status, Number(early.headers['retry-after']) > 0]).toEqual([429, true]);
    site.advance(15_000);
    expect((await browserOf(site).send('POST', '/api/v1/door/claim', { ...body, code })).status).toBe(201);
  });

  test('a flood against an account keeps strangers waiting, and not the owner at her own browser', async () => {
    const alice = await owner(site);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1)
      statuses.push((await browserOf(site).signIn('alice', `guess ${attempt}`)).status);
    expect(statuses).toContain(429);
    expect(statuses).not.toContain(200);
    const stranger = await browserOf(site).signIn('alice');
    expect([stranger.status, codeOf(stranger)]).toEqual([429, 'ACCESS-009']);
    alice.cookies.delete(sessionName);
    expect((await alice.signIn('alice')).status).toBe(200);
  });

  test('a restart is no fresh budget: accounts, addresses and codes go on where they were', async () => {
    await owner(site);
    const { folder, state, authority } = site;
    const directories = { authenticate: () => Promise.reject(new Error('no directory')) };
    const instant = Date.now();
    // Two processes, one after the other, at one instant: nothing comes back by itself.
    const process = () =>
      openDoor({ state, folder, authorityHash: authority.hash, directories, now: () => instant }).signIn;
    const from = (address: string) => ({ address, browser: 'x', device: undefined });
    const code = { code: '0000', password: goodPassword };
    const tries = (signIn: ReturnType<typeof process>): readonly Promise<unknown>[] => [
      signIn.signIn({ name: 'alice', password: goodPassword }, from('192.0.2.1')),
      signIn.signIn({ name: 'bob', password: 'x' }, from('192.0.2.2')),
      signIn.accept(code, from('192.0.2.3')),
    ];
    const before = process();
    for (let attempt = 0; attempt < 12; attempt += 1)
      await Promise.allSettled([
        before.signIn({ name: 'alice', password: 'x' }, from(`198.51.100.${attempt}`)),
        before.signIn({ name: `nobody-${attempt}`, password: 'x' }, from('192.0.2.2')),
        before.accept(code, from('192.0.2.3')),
      ]);
    for (const signIn of [before, process()])
      for (const attempt of tries(signIn))
        await expect(attempt).rejects.toMatchObject({ report: { code: 'ACCESS-009' } });
  });

  test('what is kept of guessers names nobody: no account, address or mistyped password', async () => {
    await owner(site);
    await browserOf(site).signIn('hunter2-in-the-name-field', 'x');
    site.state.signInLimits.flush();
    const rows = JSON.stringify(site.state.database.prepare('SELECT * FROM sign_in_limits').all());
    expect(rows).toContain('"kind":"failures"');
    for (const word of ['hunter2', '127.0.0.1', 'alice']) expect(rows).not.toContain(word);
  });

  test('late claiming: whoever comes after the claim learns when it was, with any code, and makes nobody', async () => {
    const code = readFileSync(join(site.folder, 'setup-code'), 'utf8').trim();
    const claim = (name: string, typed: string) =>
      browserOf(site).send('POST', '/api/v1/door/claim', { code: typed, name, password: goodPassword });
    expect((await claim('alice', code)).status).toBe(201);
    for (const typed of [code, '0000-0000', 'x']) {
      const late = await claim('mallory', typed);
      expect([late.status, codeOf(late)]).toEqual([409, 'ACCESS-010']);
      expect(late.text).toContain(String(site.door.setup.claimedAt));
    }
    expect(site.door.people.find('mallory')).toBeUndefined();
  });

  test("another account's device cookie, a forged one and a forgotten one open no way around", async () => {
    const alice = await owner(site);
    await site.door.people.add({ name: 'bob', role: 'viewer', password: goodPassword });
    const bob = await signedIn(site, 'bob');
    const device = '__Host-remuda-device';
    const forged = (alice.cookies.get(device) ?? '').replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const ofAlice = alice.cookies.get(device) ?? '';
    await alice.send('PUT', '/api/v1/session/password', { current: goodPassword, next: `${goodPassword}!` });
    for (let attempt = 0; attempt < 12; attempt += 1)
      await browserOf(site).signIn('alice', `guess ${attempt}`);
    for (const value of [bob.cookies.get(device) ?? '', forged, ofAlice]) {
      const browser = browserOf(site);
      browser.cookies.set(device, value);
      expect((await browser.signIn('alice', `${goodPassword}!`)).status).toBe(429);
    }
  });

  test('a hundred sign-ins at once from one address: few cost a hash, and others are answered meanwhile', async () => {
    await owner(site);
    const { token } = site.tokens.issue({ name: 'worker', role: 'viewer', days: 1 });
    const flood = Promise.all(
      Array.from({ length: 100 }, (_, index) => browserOf(site).signIn(`nobody-${index}`, 'x')),
    );
    const calm = await ask(`${site.url}/api/v1/server`, site.authority.certificate, { token });
    const before = site.state.audit.head().number;
    const statuses = (await flood).map(({ status }) => status);
    expect(calm.status).toBe(200);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    // Ten at once, and what came back during the flood.
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(20);
    // Those who were told to wait wrote nothing.
    expect(site.state.audit.head().number - before).toBeLessThan(20);
  });

  test('an unknown name, a wrong password, a disabled person and an empty password get one answer', async () => {
    await owner(site);
    await site.door.people.add({ name: 'bob', role: 'viewer', password: goodPassword });
    site.door.people.change('bob', { isDisabled: true });
    await site.door.people.add({ name: 'carol', role: 'viewer' });
    const tries: [string, string][] = [
      ['nobody', goodPassword],
      ['alice', 'not her password'],
      ['alice', ''],
      ['bob', goodPassword],
      ['carol', ''],
      ["alice' OR 1=1 --", ''],
      ['alice*)(uid=*', 'x'],
    ];
    const bodies: string[] = [];
    for (const [name, password] of tries) {
      const answer = await browserOf(site).signIn(name, password);
      expect(answer.status).toBe(401);
      bodies.push(answer.text.replace(/"instance":"[^"]+"/, ''));
    }
    expect(new Set(bodies).size).toBe(1);
  });
});
