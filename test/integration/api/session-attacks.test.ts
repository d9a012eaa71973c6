import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, goodPassword } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';
import { browserOf, cookieOf, heard, owner, sessionName, signedIn, Sockets } from './visitors.ts';

let site: FakeSite;
let sockets: Sockets;
beforeEach(async () => {
  site = await startFakeSite();
  sockets = new Sockets(site);
});
afterEach(async () => {
  sockets[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

describe('attacks: sessions', () => {
  test('fixation: a session id that was planted is never the one that is signed in', async () => {
    await owner(site);
    const victim = browserOf(site);
    const planted = 'A'.repeat(43);
    victim.cookies.set(sessionName, planted);
    await victim.signIn('alice');
    expect(victim.cookies.get(sessionName)).not.toBe(planted);
    const attacker = browserOf(site);
    attacker.cookies.set(sessionName, planted);
    expect((await attacker.get('/api/v1/session')).status).toBe(401);
  });

  test('fixation: the session of the one before ends when somebody else signs in at the same browser', async () => {
    const browser = await owner(site);
    await site.door.people.add({ name: 'bob', role: 'viewer', password: goodPassword });
    const before = browser.cookies.get(sessionName) ?? '';
    await browser.signIn('bob');
    const attacker = browserOf(site);
    attacker.cookies.set(sessionName, before);
    expect((await attacker.get('/api/v1/session')).status).toBe(401);
  });

  test('fixation: neither the claim nor an invitation takes over what was planted', async () => {
    const planted = 'B'.repeat(43);
    const code = readFileSync(join(site.folder, 'setup-code'), 'utf8').trim();
    const claiming = browserOf(site);
    claiming.cookies.set(sessionName, planted);
    const body = { code, name: 'alice', password: goodPassword };
    expect((await claiming.send('POST', '/api/v1/door/claim', body)).status).toBe(201);
    const invited = await claiming.send('POST', '/api/v1/users', { name: 'bob', role: 'viewer' });
    const { invitation } = invited.json as { readonly invitation: { readonly code: string } };
    const accepting = browserOf(site);
    accepting.cookies.set(sessionName, planted);
    const taken = { code: invitation.code, password: goodPassword };
    expect((await accepting.send('POST', '/api/v1/door/invitation', taken)).status).toBe(201);
    for (const browser of [claiming, accepting]) expect(browser.cookies.get(sessionName)).not.toBe(planted);
    const attacker = browserOf(site);
    attacker.cookies.set(sessionName, planted);
    expect((await attacker.get('/api/v1/session')).status).toBe(401);
  });

  test('the cookie is out of reach of scripts, other hosts and plain text', async () => {
    await owner(site);
    const answer = await browserOf(site).signIn('alice');
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) {
      expect(cookie).toMatch(/^__Host-[^;]+; Path=\/; Secure; HttpOnly; SameSite=(Lax|Strict)/);
      expect(cookie).not.toMatch(/domain/i);
    }
    expect(answer.text).not.toContain(
      /__Host-remuda-session=([^;]+)/.exec(String(answer.headers['set-cookie']))?.[1],
    );
  });

  test('a revoked token and an ended session are refused at once, over HTTP and on the socket', async () => {
    const alice = await owner(site);
    const { token } = site.tokens.issue({ name: 'stolen', role: 'admin', days: 1 });
    const thief = sockets.connect({ token });
    const browser = sockets.connect(undefined, cookieOf(site, alice));
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

describe('attacks: cross-site request forgery', () => {
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
    const alice = await owner(site);
    const answer = await alice.send('POST', '/api/v1/users', change, headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'ACCESS-012']);
    expect(site.door.people.find('eve')).toBeUndefined();
  });

  test("another session's value is worth nothing here", async () => {
    const alice = await owner(site);
    const other = browserOf(site);
    await other.signIn('alice');
    const answer = await alice.send('POST', '/api/v1/users', change, { 'X-Remuda-Csrf': other.csrf });
    expect(codeOf(answer)).toBe('ACCESS-012');
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
    'a form post (%s) is not read, signed in or not',
    async (type) => {
      const alice = await owner(site);
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
    await owner(site);
    const answer = await browserOf(site).send(
      'POST',
      '/api/v1/session',
      { name: 'alice', password: goodPassword },
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    );
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
  });

  test('a link from another page keeps one signed in: reading needs no header', async () => {
    const alice = await owner(site);
    const headers = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await alice.send('GET', '/api/v1/clusters', undefined, headers)).status).toBe(200);
  });
});

describe('attacks: sockets', () => {
  test('without a session, with an ended one, and from another origin there are none', async () => {
    const alice = await owner(site);
    const cookie = cookieOf(site, alice);
    await alice.send('DELETE', '/api/v1/session');
    expect(await heard(sockets.connect(undefined), 'connect_error')).toMatchObject({
      message: 'unauthenticated',
    });
    expect(await heard(sockets.connect(undefined, cookie), 'connect_error')).toMatchObject({
      message: 'unauthenticated',
    });
    const again = await signedIn(site, 'alice');
    const foreign = sockets.connect(undefined, { ...cookieOf(site, again), Origin: 'https://evil.example' });
    expect(String(await heard(foreign, 'connect_error'))).toContain('websocket error');
  });

  test('with a session or a token that has expired there is none either', async () => {
    const alice = await owner(site);
    const { token } = site.tokens.issue({ name: 'short', role: 'admin', days: 0.5 });
    site.advance(13 * 3_600_000);
    for (const socket of [sockets.connect(undefined, cookieOf(site, alice)), sockets.connect({ token })])
      expect(await heard(socket, 'connect_error')).toMatchObject({ message: 'unauthenticated' });
  });

  test('a message that is too large ends the connection, and the server goes on', async () => {
    const { token } = site.tokens.issue({ name: 'large', role: 'viewer', days: 1 });
    const socket = sockets.connect({ token });
    await heard(socket, 'connect');
    const end = heard(socket, 'disconnect');
    socket.emit('follow', { nonsense: 'x'.repeat(2 * 1024 * 1024) });
    expect(await end).toMatch(/transport (close|error)/);
    expect((await ask(`${site.url}/api/v1/server`, site.authority.certificate, { token })).status).toBe(200);
  });

  test('one that expires while nothing happens is ended too', async () => {
    const alice = await owner(site);
    const socket = sockets.connect(undefined, cookieOf(site, alice));
    await heard(socket, 'connect');
    const end = heard(socket, 'refused');
    site.advance(61 * 60_000);
    expect(await end).toBe('session-ended');
  });

  test('events and lines of clusters that are not hers do not reach a person', async () => {
    for (const name of ['demo', 'other']) addFakeCluster(site, name);
    const { token, view } = site.tokens.issue({ name: 'dev', role: 'user', days: 1 });
    grantRole(site, view.principal, 'demo', 'user');
    const socket = sockets.connect({ token });
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
