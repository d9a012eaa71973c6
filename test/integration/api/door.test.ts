import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rolesAllowed } from '../../../daemon/access/authorize.ts';
import { roles } from '../../../daemon/access/principals.ts';
import { completeTable } from '../../../daemon/api/server.ts';
import { problemDetailsSchema } from '../../../daemon/api/types.ts';
import { codeOf } from './fake-browser.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const table = completeTable('0.0.0-test');
const guarded = table.flatMap((route) =>
  typeof route.access === 'string' ? [] : [{ ...route, access: route.access }],
);
/** A path of a route with names in it that could be. */
const pathOf = (path: string): string => path.replaceAll(/\{[a-z]+\}/g, 'some-name');
const reasonOf = (json: unknown): string => problemDetailsSchema.parse(json).reason;

describe('C5: every resource asks for a token', () => {
  test.each(guarded.map((route) => [route.id, route] as const))(
    '%s refuses a stranger',
    async (_id, route) => {
      const attempts = [
        undefined,
        'wrong',
        `${site.authority.hash}.wrong`,
        `${'a'.repeat(64)}.${'b'.repeat(43)}`,
      ];
      for (const token of attempts) {
        const answer = await ask(site.url + pathOf(route.path), site.authority.certificate, {
          method: route.method.toUpperCase(),
          token,
        });
        expect(answer.status).toBe(401);
        expect(answer.headers['www-authenticate']).toContain('Bearer');
        expect(answer.headers['content-type']).toContain('application/problem+json');
        expect(reasonOf(answer.json)).toBe('unauthenticated');
      }
    },
  );

  test.each(roles.filter((role) => role !== 'user'))(
    'the table of routes and roles holds for a %s',
    async (role) => {
      const { token } = site.tokens.issue({ name: `only-${role}`, role, days: 1 });
      for (const route of guarded) {
        const isAllowed = rolesAllowed(route.access.verb, route.access.object).includes(role);
        const answer = await ask(site.url + pathOf(route.path), site.authority.certificate, {
          method: route.method.toUpperCase(),
          token,
          ...(route.body ? { body: '[]' } : {}),
        });
        expect([route.id, codeOf(answer) === 'ACCESS-002']).toEqual([route.id, !isAllowed]);
      }
    },
  );

  test('an expired token and a revoked one get the same answer as an unknown one', async () => {
    const { token } = site.tokens.issue({ name: 'short', role: 'viewer', days: 1 });
    const url = `${site.url}/api/v1/server`;
    expect((await ask(url, site.authority.certificate, { token })).status).toBe(200);
    site.tokens.revoke('short');
    const revoked = await ask(url, site.authority.certificate, { token });
    const again = site.tokens.issue({ name: 'short', role: 'viewer', days: 0.5 });
    site.advance(13 * 3_600_000);
    const expired = await ask(url, site.authority.certificate, { token: again.token });
    site.advance(-13 * 3_600_000);
    expect([revoked.status, expired.status]).toEqual([401, 401]);
    const anonymous = (text: string): string => text.replace(/"instance":"[^"]+"/, '');
    expect(anonymous(expired.text)).toBe(anonymous(revoked.text));
  });

  test('a token is kept only as a hash', () => {
    const secret = site.admin.split('.').at(-1) ?? '';
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const rows = JSON.stringify(site.state.database.prepare('SELECT * FROM tokens').all());
    expect(rows).not.toContain(secret);
  });
});

describe('V11: probes and metrics', () => {
  test('probes answer anybody, and readiness is the engine’s', async () => {
    expect((await ask(`${site.url}/healthz`, site.authority.certificate)).json).toEqual({ status: 'ok' });
    expect((await ask(`${site.url}/readyz`, site.authority.certificate)).status).toBe(200);
    site.engine.isReady = false;
    expect((await ask(`${site.url}/readyz`, site.authority.certificate)).status).toBe(503);
    site.engine.isReady = true;
  });

  test('metrics count requests by route', async () => {
    const answer = await ask(`${site.url}/metrics`, site.authority.certificate, { token: site.admin });
    expect(answer.text).toMatch(
      /remuda_http_request_duration_seconds_count\{route="server\.health",status="200"\} 1/,
    );
    expect(answer.text).toContain('remuda_engine_steps_succeeded 0');
  });
});

describe('what is not in the table does not exist', () => {
  test.each([
    '/api/v1/clusters/..%2f..%2fetc%2fpasswd',
    '/api/v1/clusters/%2e%2e',
    '/api/v1/operations/..%5c..%5cadmin-token',
    '/api/v1/../../admin-token',
    '/api/v1/clusters/a%00b',
    '/api/v1/clusters/%E0%A4%A',
    '/admin-token',
    '//etc/passwd',
  ])('%s is not found', async (path) => {
    const answer = await ask(site.url, site.authority.certificate, { path, token: site.admin });
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('root:');
    expect(answer.text).not.toMatch(/node_modules|\.ts:/);
  });

  test('another method names those there are', async () => {
    const answer = await ask(`${site.url}/api/v1/clusters`, site.authority.certificate, {
      method: 'DELETE',
      token: site.admin,
    });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
  });

  test('every answer carries the security headers and says nothing of the software', async () => {
    for (const path of ['/healthz', '/api/v1/clusters', '/nowhere']) {
      const { headers } = await ask(site.url + path, site.authority.certificate);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['strict-transport-security']).toContain('max-age');
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });
});

describe('audit from the first mutating call', () => {
  test('a change, a refused change and a forbidden one each leave a row, and the chain is whole', async () => {
    const before = site.state.audit.head().number;
    const viewer = site.tokens.issue({ name: 'onlooker', role: 'viewer', days: 1 }).token;
    const secret = `${site.url}/api/v1/secrets/dc1`;
    const body = JSON.stringify({ data: { password: 'canary-of-the-audit' } });
    await ask(secret, site.authority.certificate, { method: 'PUT', token: site.admin, body });
    site.engine.refusal = new Error('something of ours');
    await ask(secret, site.authority.certificate, { method: 'PUT', token: site.admin, body });
    await ask(secret, site.authority.certificate, { method: 'PUT', token: viewer, body });
    const rows = site.state.audit.list(before, 100);
    expect(rows.map((row) => [row.principal, row.verb, row.object, row.outcome])).toEqual([
      ['token:admin', 'secret.set', 'secret/dc1', 'allowed'],
      ['token:admin', 'secret.set', 'secret/dc1', 'allowed'],
      ['token:admin', 'secret.set', 'secret/dc1', 'failed'],
      ['token:onlooker', 'secret.set', 'secret/dc1', 'refused'],
    ]);
    expect(site.state.audit.firstBroken()).toBeUndefined();
    expect(JSON.stringify(rows)).not.toContain('canary-of-the-audit');
  });
});
