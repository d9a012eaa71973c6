import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { livePath } from '../../../daemon/api/schemas/live.ts';
import { codeOf, FakeBrowser, goodPassword } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask, openRaw, readToEnd } from './http.ts';

let site: FakeSite;
let sockets: Socket[] = [];
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets = [];
  await site[Symbol.asyncDispose]();
});

const sessionName = '__Host-remuda-session';
const newBrowser = (): FakeBrowser =>
  new FakeBrowser({ url: site.url, certificate: site.authority.certificate });

/** Alice, the administrator, in her browser. */
async function owner(): Promise<FakeBrowser> {
  await site.door.people.add({ name: 'alice', role: 'admin', password: goodPassword });
  const browser = newBrowser();
  expect((await browser.signIn('alice')).status).toBe(200);
  return browser;
}

describe('sessions', () => {
  test('fixation: a session id that was planted is never the one that is signed in', async () => {
    await owner();
    const victim = newBrowser();
    const planted = 'A'.repeat(43);
    victim.cookies.set(sessionName, planted);
    await victim.signIn('alice');
    expect(victim.cookies.get(sessionName)).not.toBe(planted);
    const attacker = newBrowser();
    attacker.cookies.set(sessionName, planted);
    expect((await attacker.get('/api/v1/session')).status).toBe(401);
  });

  test('fixation: the session of the one before ends when somebody else signs in at the same browser', async () => {
    const browser = await owner();
    await site.door.people.add({ name: 'bob', role: 'viewer', password: goodPassword });
    const before = browser.cookies.get(sessionName) ?? '';
    await browser.signIn('bob');
    const attacker = newBrowser();
    attacker.cookies.set(sessionName, before);
    expect((await attacker.get('/api/v1/session')).status).toBe(401);
  });

  test('the cookie is out of reach of scripts, other hosts and plain text', async () => {
    await owner();
    const answer = await newBrowser().signIn('alice');
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) {
      expect(cookie).toMatch(/^__Host-[^;]+; Path=\/; Secure; HttpOnly; SameSite=(Lax|Strict)/);
      expect(cookie).not.toMatch(/domain/i);
    }
    expect(answer.text).not.toContain(
      /__Host-remuda-session=([^;]+)/.exec(String(answer.headers['set-cookie']))?.[1],
    );
  });

  test('a revoked token and an ended session are refused at once, over HTTP and on the socket', async () => {
    const alice = await owner();
    const { token } = site.tokens.issue({ name: 'stolen', role: 'admin', days: 1 });
    const thief = connect({ token });
    const browser = connect(undefined, cookieOf(alice));
    await Promise.all([heard(thief, 'connect'), heard(browser, 'connect')]);
    await Promise.all([
      thief.emitWithAck('follow', { events: {} }),
      browser.emitWithAck('follow', { events: {} }),
    ]);
    const ends = Promise.all([heard(thief, 'refused'), heard(browser, 'refused')]);
    site.tokens.revoke('stolen');
    await alice.send('DELETE', '/api/v1/session');
    site.engine.happen('something.secret');
    expect(await ends).toEqual(['the token is no longer valid', 'session-ended']);
    expect((await ask(`${site.url}/api/v1/server`, site.authority.certificate, { token })).status).toBe(401);
  });
});

describe('cross-site request forgery', () => {
  const change = { name: 'eve', role: 'admin', password: goodPassword };
  test.each([
    ['the cookie without the header', { 'X-Remuda-Csrf': '' }],
    ['a wrong value', { 'X-Remuda-Csrf': 'A'.repeat(43) }],
    ['a value of other length', { 'X-Remuda-Csrf': 'ä' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['an opaque origin', { Origin: 'null' }],
    ['our name on another port', { Origin: 'https://127.0.0.1:1' }],
    ['a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['neither origin nor fetch metadata', { Origin: '', 'Sec-Fetch-Site': '' }],
  ])('%s changes nothing', async (_what, headers) => {
    const alice = await owner();
    const answer = await alice.send('POST', '/api/v1/users', change, headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'ACCESS-012']);
    expect(site.door.people.find('eve')).toBeUndefined();
  });

  test("another session's value is worth nothing here", async () => {
    const alice = await owner();
    const other = newBrowser();
    await other.signIn('alice');
    const answer = await alice.send('POST', '/api/v1/users', change, { 'X-Remuda-Csrf': other.csrf });
    expect(codeOf(answer)).toBe('ACCESS-012');
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
    'a form post (%s) is not read, signed in or not',
    async (type) => {
      const alice = await owner();
      const body = JSON.stringify(change);
      for (const path of ['/api/v1/users', '/api/v1/session']) {
        const answer = await ask(site.url + path, site.authority.certificate, {
          method: 'POST',
          body,
          headers: {
            'Content-Type': type,
            Cookie: `${sessionName}=${alice.cookies.get(sessionName) ?? ''}`,
            Origin: site.url,
            'X-Remuda-Csrf': alice.csrf,
          },
        });
        expect(answer.status).toBe(400);
      }
      expect(site.door.people.find('eve')).toBeUndefined();
    },
  );

  test('signing somebody in from a page elsewhere (login CSRF) is refused', async () => {
    await owner();
    const answer = await newBrowser().send(
      'POST',
      '/api/v1/session',
      { name: 'alice', password: goodPassword },
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    );
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
  });

  test('a link from another page keeps one signed in: reading needs no header', async () => {
    const alice = await owner();
    const headers = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await alice.send('GET', '/api/v1/clusters', undefined, headers)).status).toBe(200);
  });
});

describe('sockets', () => {
  test('without a session, with an ended one, and from another origin there are none', async () => {
    const alice = await owner();
    const cookie = cookieOf(alice);
    await alice.send('DELETE', '/api/v1/session');
    expect(await heard(connect(undefined), 'connect_error')).toMatchObject({ message: 'unauthenticated' });
    expect(await heard(connect(undefined, cookie), 'connect_error')).toMatchObject({
      message: 'unauthenticated',
    });
    const again = await newBrowserOf('alice');
    const foreign = connect(undefined, { ...cookieOf(again), Origin: 'https://evil.example' });
    expect(String(await heard(foreign, 'connect_error'))).toContain('websocket error');
  });

  test('one that expires while nothing happens is ended too', async () => {
    const alice = await owner();
    const socket = connect(undefined, cookieOf(alice));
    await heard(socket, 'connect');
    const end = heard(socket, 'refused');
    site.advance(61 * 60_000);
    expect(await end).toBe('session-ended');
  });

  test('events and lines of clusters that are not hers do not reach a person', async () => {
    for (const name of ['demo', 'other']) addFakeCluster(site, name);
    const { token, view } = site.tokens.issue({ name: 'dev', role: 'user', days: 1 });
    grantRole(site, view.principal, 'demo', 'user');
    const socket = connect({ token });
    await heard(socket, 'connect');
    const got: unknown[] = [];
    const last = new Promise<void>((resolve) => {
      socket.on('batch', (batch: { events: { type: string }[]; lines: unknown[] }, done: () => void) => {
        got.push(...batch.events.map(({ type }) => type), ...batch.lines);
        done();
        if (batch.events.some(({ type }) => type === 'last')) resolve();
      });
    });
    await socket.emitWithAck('follow', { events: {}, operation: 'op-other', log: { after: 0 } });
    await socket.emitWithAck('follow', { events: {} });
    site.engine.happen('secret', { cluster: 'other', operation: 'op-other' });
    site.engine.happen('of-the-site');
    site.engine.happen('mine', { cluster: 'demo', operation: 'op-demo' });
    site.engine.happen('last', { cluster: 'demo' });
    await last;
    expect(got).toEqual(['mine', 'last']);
  });
});

describe('guessing', () => {
  test('set-up codes: five tries a minute in all, whoever asks; the right one waits too', async () => {
    const code = readFileSync(join(site.folder, 'setup-code'), 'utf8').trim();
    const body = { name: 'alice', password: goodPassword };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1)
      statuses.push(
        (await newBrowser().send('POST', '/api/v1/door/claim', { ...body, code: `0000-${attempt}` })).status,
      );
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const early = await newBrowser().send('POST', '/api/v1/door/claim', { ...body, code });
    expect([early.status, Number(early.headers['retry-after']) > 0]).toEqual([429, true]);
    site.advance(15_000);
    expect((await newBrowser().send('POST', '/api/v1/door/claim', { ...body, code })).status).toBe(201);
  });

  test('a flood against an account keeps strangers waiting, and not the owner at her own browser', async () => {
    const alice = await owner();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1)
      statuses.push((await newBrowser().signIn('alice', `guess ${attempt}`)).status);
    expect(statuses).toContain(429);
    expect(statuses).not.toContain(200);
    const stranger = await newBrowser().signIn('alice');
    expect([stranger.status, codeOf(stranger)]).toEqual([429, 'ACCESS-009']);
    alice.cookies.delete(sessionName);
    expect((await alice.signIn('alice')).status).toBe(200);
  });

  test("another account's device cookie, a forged one and a forgotten one open no way around", async () => {
    const alice = await owner();
    await site.door.people.add({ name: 'bob', role: 'viewer', password: goodPassword });
    const bob = await newBrowserOf('bob');
    const device = '__Host-remuda-device';
    const forged = (alice.cookies.get(device) ?? '').replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const ofAlice = alice.cookies.get(device) ?? '';
    await alice.send('PUT', '/api/v1/session/password', { current: goodPassword, next: `${goodPassword}!` });
    for (let attempt = 0; attempt < 12; attempt += 1) await newBrowser().signIn('alice', `guess ${attempt}`);
    for (const value of [bob.cookies.get(device) ?? '', forged, ofAlice]) {
      const browser = newBrowser();
      browser.cookies.set(device, value);
      expect((await browser.signIn('alice', `${goodPassword}!`)).status).toBe(429);
    }
  });

  test('a hundred sign-ins at once from one address: few cost a hash, and others are answered meanwhile', async () => {
    await owner();
    const { token } = site.tokens.issue({ name: 'worker', role: 'viewer', days: 1 });
    const flood = Promise.all(
      Array.from({ length: 100 }, (_, index) => newBrowser().signIn(`nobody-${index}`, 'x')),
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
    await owner();
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
      const answer = await newBrowser().signIn(name, password);
      expect(answer.status).toBe(401);
      bodies.push(answer.text.replace(/"instance":"[^"]+"/, ''));
    }
    expect(new Set(bodies).size).toBe(1);
  });
});

describe('what is kept and shown', () => {
  test('sign-ins stand in the audit with known names only, and no password or cookie anywhere', async () => {
    const before = site.state.audit.head().number;
    const alice = await owner();
    await newBrowser().signIn('hunter2-was-my-password', 'canary-password-1');
    await newBrowser().signIn('alice', 'canary-password-2');
    const rows = site.state.audit.list(before, 100);
    expect(rows.map((row) => [row.principal, row.verb, row.outcome])).toEqual([
      ['user:alice', 'session.create', 'allowed'],
      ['unknown', 'session.create', 'refused'],
      ['user:alice', 'session.create', 'refused'],
    ]);
    const everything = JSON.stringify(rows) + site.log.join('');
    for (const word of ['hunter2', 'canary-password', goodPassword, alice.cookies.get(sessionName) ?? 'x'])
      expect(everything).not.toContain(word);
  });

  test('a name with line breaks, escape codes or markup goes nowhere near headers, logs or names', async () => {
    const alice = await owner();
    for (const name of ['bob\r\nSet-Cookie: x=1', 'bob\u001b[2J', '<img src=x>', 'Bob', 'a@b']) {
      const answer = await alice.send('POST', '/api/v1/users', { name, role: 'viewer' });
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain('<img');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const raw = await ask(site.url, site.authority.certificate, {
      path: '/api/v1/clusters/x%0d%0aSet-Cookie:%20y=1',
      token: site.admin,
    });
    expect([raw.status, raw.headers['set-cookie']]).toEqual([404, undefined]);
  });

  test('bodies of strangers are small, and slow ones are cut off', async () => {
    const big = await newBrowser().send('POST', '/api/v1/session', { name: 'a', password: 'x'.repeat(9000) });
    expect(big.status).toBe(413);
    await using hasty = await startFakeSite({ requestWithin: 500 });
    const socket = await openRaw(hasty.url, hasty.authority.certificate);
    socket.write(
      'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 |^$/);
  });
});

const heard = (socket: Socket, name: string): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once(name, resolve);
  });

function connect(
  auth: { readonly token: string } | undefined,
  headers: Readonly<Record<string, string>> = {},
): Socket {
  const socket = io(site.url, {
    path: livePath,
    transports: ['websocket'],
    ...(auth ? { auth } : {}),
    ca: site.authority.certificate,
    reconnection: false,
    forceNew: true,
    extraHeaders: headers,
  });
  sockets.push(socket);
  return socket;
}

const cookieOf = (browser: FakeBrowser): Readonly<Record<string, string>> => ({
  Cookie: `${sessionName}=${browser.cookies.get(sessionName) ?? ''}`,
  Origin: site.url,
});

async function newBrowserOf(name: string): Promise<FakeBrowser> {
  const browser = newBrowser();
  expect((await browser.signIn(name)).status).toBe(200);
  return browser;
}
