import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserProblem } from '../../../provisioners/contract/problem.ts';
import { codeOf, goodPassword } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask, openRaw, readToEnd } from './http.ts';
import { browserOf, owner, sessionName } from './visitors.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(() => site[Symbol.asyncDispose]());

describe('attacks: what is kept and shown', () => {
  test('sign-ins stand in the audit with known names only, and no password or cookie anywhere', async () => {
    const before = site.state.audit.head().number;
    const alice = await owner(site);
    await browserOf(site).signIn('hunter2-was-my-password', 'canary-password-1');
    await browserOf(site).signIn('alice', 'canary-password-2');
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
    const alice = await owner(site);
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
    const big = await browserOf(site).send('POST', '/api/v1/session', {
      name: 'a',
      password: 'x'.repeat(9000),
    });
    expect(big.status).toBe(413);
    await using hasty = await startFakeSite({ requestWithin: 500 });
    const socket = await openRaw(hasty.url, hasty.authority.certificate);
    socket.write(
      'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 |^$/);
  });
});

describe('attacks: text that machines, files and directories bring', () => {
  const hostile = [
    '<script>globalThis.attacked = 1</script>',
    '"><svg onload=alert(1)>',
    '\u001b]0;title\u0007\u001b[2J',
    'x\r\nSet-Cookie: evil=1',
    '\u202Egnp.exe',
  ];

  test('is JSON in every answer, never a page, whatever the client likes best; in no header', async () => {
    for (const text of hostile) {
      site.engine.say(text);
      site.engine.happen('machine.changed', { step: text });
    }
    const title = hostile[0] ?? '';
    site.state.directories.put({
      name: 'corp',
      title,
      config: {},
      principal: 'user:root',
      updatedAt: '2026-11-21T05:00:00.000Z',
    });
    site.engine.refusal = new UserProblem('X-001', title, { remedy: hostile[1] ?? '' });
    const asked: readonly (readonly [string, string])[] = [
      ['GET', '/api/v1/operations/op-1/log'],
      ['GET', '/api/v1/events'],
      ['GET', '/api/v1/door'],
      ['POST', '/api/v1/apply'],
      ['GET', `/api/v1/clusters/${encodeURIComponent(title)}`],
      ['GET', `/${encodeURIComponent(title)}`],
    ];
    for (const [method, path] of asked) {
      const answer = await ask(site.url, site.authority.certificate, {
        method,
        path,
        token: site.admin,
        headers: { Accept: 'text/html,*/*' },
        ...(method === 'POST' ? { body: JSON.stringify({ text: title, file: hostile[1] }) } : {}),
      });
      expect([path, answer.headers['content-type']]).toEqual([
        path,
        expect.stringMatching(/^application\/(problem\+)?json/),
      ]);
      expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(JSON.stringify(answer.headers)).not.toMatch(/evil|<script|\\u001b/);
    }
  });

  test('stands in the log of the server as one line of JSON each', async () => {
    site.engine.refusal = new Error(hostile.join(' '));
    await ask(`${site.url}/api/v1/apply`, site.authority.certificate, {
      method: 'POST',
      token: site.admin,
      body: JSON.stringify({ text: 'x' }),
    });
    expect(site.log.length).toBeGreaterThan(0);
    for (const line of site.log) {
      expect(() => JSON.parse(line) as unknown).not.toThrow();
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
    }
  });
});

describe('attacks: requests that are none', () => {
  const raw = async (text: string): Promise<string> => {
    const socket = await openRaw(site.url, site.authority.certificate);
    const end = readToEnd(socket);
    socket.write(text);
    return end;
  };
  const head = 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  test.each([
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}`],
    ['a length and chunks', `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a header with a bare line break', `${head}Idempotency-Key: a\rb\r\n\r\n`],
    ['a header without a name', `${head}: x\r\n\r\n`],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ])('smuggling and header injection: %s is refused and the connection closed', async (_what, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a head that is too large is refused', async () => {
    expect(
      await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(64 * 1024)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('path traversal: of the folder of the wizard only its own files come out', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'remuda-wizard-'));
    try {
      const wizard = join(outside, 'dist');
      mkdirSync(join(wizard, 'assets'), { recursive: true });
      writeFileSync(join(outside, 'canary.js'), 'canary');
      writeFileSync(join(wizard, 'canary.js'), 'canary');
      writeFileSync(join(wizard, 'index.html'), '<!doctype html>page');
      writeFileSync(join(wizard, 'assets', 'main.js'), 'good');
      writeFileSync(join(wizard, 'assets', '.env'), 'canary');
      await using served = await startFakeSite({ wizard });
      const get = (path: string) =>
        ask(served.url, served.authority.certificate, { path, headers: { Accept: 'text/html' } });
      expect((await get('/assets/main.js')).text).toBe('good');
      for (const path of [
        '/assets/../canary.js',
        '/assets/../../canary.js',
        '/assets/..%2f..%2fcanary.js',
        '/assets/%2e%2e/%2e%2e/canary.js',
        '/assets/..\\..\\canary.js',
        '/assets/.env',
        '/assets//etc/passwd',
        '/assets/main.js%00.html',
        '/../canary.js',
        '/canary.js',
      ]) {
        const answer = await get(path);
        expect([path, answer.text === 'canary']).toEqual([path, false]);
        expect(answer.text).not.toContain('root:');
      }
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });
});

describe('attacks: a greater role than one has', () => {
  test('an operator makes no administrator: no person, token, account, grant or policy', async () => {
    addFakeCluster(site, 'demo');
    const { token } = site.tokens.issue({ name: 'op', role: 'operator', days: 1 });
    const tries: readonly (readonly [string, string, object])[] = [
      ['POST', '/api/v1/users', { name: 'eve', role: 'admin' }],
      ['PUT', '/api/v1/users/alice', { role: 'admin' }],
      ['POST', '/api/v1/tokens', { name: 'eve', role: 'admin', days: 1 }],
      ['POST', '/api/v1/service-accounts', { name: 'eve', role: 'admin' }],
      ['PUT', '/api/v1/clusters/demo/grants', { principal: 'token:op', role: 'admin' }],
      ['DELETE', '/api/v1/policies/production-is-protected', {}],
    ];
    for (const [method, path, body] of tries) {
      const answer = await ask(site.url + path, site.authority.certificate, {
        method,
        token,
        ...(method === 'DELETE' ? {} : { body: JSON.stringify(body) }),
      });
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'ACCESS-002']);
    }
    expect(site.door.people.find('eve')).toBeUndefined();
  });

  test('the administrator of a cluster gives roles there, and none elsewhere', async () => {
    for (const name of ['demo', 'other']) addFakeCluster(site, name);
    const { token, view } = site.tokens.issue({ name: 'lead', role: 'user', days: 1 });
    const { view: friend } = site.tokens.issue({ name: 'friend', role: 'user', days: 1 });
    grantRole(site, view.principal, 'demo', 'admin');
    const give = async (cluster: string): Promise<number> =>
      (
        await ask(`${site.url}/api/v1/clusters/${cluster}/grants`, site.authority.certificate, {
          method: 'PUT',
          token,
          body: JSON.stringify({ principal: friend.principal, role: 'admin' }),
        })
      ).status;
    expect([await give('demo'), await give('other')]).toEqual([200, 404]);
  });

  test('whoever gives more than she has is refused, also where her token is narrower than she is', async () => {
    addFakeCluster(site, 'demo');
    const account = site.door.tokens.addAccount('narrow', 'admin');
    const scope = { verbs: ['read', 'issue'] };
    const { token } = site.tokens.issueTo(account.id, { name: 'narrow', days: 1, scope });
    const wider = await ask(`${site.url}/api/v1/service-accounts/narrow/tokens`, site.authority.certificate, {
      method: 'POST',
      token,
      body: JSON.stringify({ name: 'wide', days: 1 }),
    });
    expect([wider.status, codeOf(wider)]).toEqual([403, 'ACCESS-002']);
  });
});
