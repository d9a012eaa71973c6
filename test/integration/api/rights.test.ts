import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAtLeast, type Role, roles } from '../../../daemon/access/principals.ts';
import { completeTable } from '../../../daemon/api/server.ts';
import type { Route } from '../../../daemon/api/route.ts';
import { codeOf } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';
import { rightsTable } from './rights-table.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite();
  for (const name of ['demo', 'other']) addFakeCluster(site, name);
});
afterAll(() => site[Symbol.asyncDispose]());

const table = completeTable('0.0.0-test');
const isBound = (route: Route): boolean =>
  typeof route.access !== 'string' &&
  (route.access.cluster === 'cluster' || route.access.cluster === 'operation');
const pathOf = (path: string, cluster: string): string =>
  path
    .replace('{cluster}', cluster)
    .replace('{operation}', `op-${cluster}`)
    .replaceAll(/\{[a-z]+\}/g, 'some-name');

/** What the door says: `hidden` is word for word the answer for a thing that is not there. */
async function tryRoute(route: Route, token: string | undefined, cluster = 'demo'): Promise<string> {
  const answer = await ask(site.url + pathOf(route.path, cluster), site.authority.certificate, {
    method: route.method.toUpperCase(),
    token,
    ...(route.body ? { body: '[]' } : {}),
  });
  if (answer.status === 401) return 'stranger';
  if (codeOf(answer) === 'ACCESS-002') return 'forbidden';
  return codeOf(answer) === 'OPS-007' ? 'hidden' : 'passes';
}

/** A token of a program with a global role and a role in `demo`. */
function tokenFor(name: string, role: Role, inDemo?: Role): string {
  const { token, view } = site.tokens.issue({ name, role, days: 1 });
  if (inDemo !== undefined) grantRole(site, view.principal, 'demo', inDemo);
  return token;
}

/** The answer that the table asks for. */
function wanted(route: Route, role: Role, inDemo: Role | undefined): string {
  const [global, inCluster] = rightsTable[route.id] ?? [];
  if (global === 'open' || global === 'own') return 'passes';
  if (global === undefined) return 'not in the table';
  if (isAtLeast(role, global)) return 'passes';
  if (inDemo !== undefined && inCluster !== undefined && isAtLeast(inDemo, inCluster)) return 'passes';
  return isBound(route) && role === 'user' && inDemo === undefined ? 'hidden' : 'forbidden';
}

/** Not for tokens of people: certificates and single-use tokens have doors of their own. */
const withDoorOfItsOwn = new Set(['agent.enrol', 'agent.renew']);

describe('C5: route × role', () => {
  test('each route has a row, and each row a route', () => {
    const own = table.map(({ id }) => id);
    expect(own.sort()).toEqual(Object.keys(rightsTable).sort());
  });

  const cases = roles.flatMap((role) =>
    [undefined, ...roles].map((inDemo) => [role, inDemo ?? 'nothing', inDemo] as const),
  );
  test.each(cases)('%s here, %s in the cluster', async (role, word, inDemo) => {
    const token = tokenFor(`table-${role}-${word}`, role, inDemo);
    const found: (readonly [string, string])[] = [];
    const asked: (readonly [string, string])[] = [];
    for (const route of table) {
      if (withDoorOfItsOwn.has(route.id)) continue;
      found.push([route.id, await tryRoute(route, token)]);
      asked.push([route.id, wanted(route, role, inDemo)]);
    }
    expect(found).toEqual(asked);
  });

  test('a role in one cluster is worth nothing in another: it stays hidden', async () => {
    const token = tokenFor('elsewhere', 'user', 'admin');
    for (const route of table.filter(isBound))
      expect([route.id, await tryRoute(route, token, 'other')]).toEqual([route.id, 'hidden']);
  });

  test('what is hidden answers byte for byte as what is not there', async () => {
    const token = tokenFor('curious', 'user');
    const bodyOf = async (path: string): Promise<string> =>
      (await ask(site.url + path, site.authority.certificate, { token })).text
        .replaceAll(/demo|none/g, '…')
        .replace(/"instance":"[^"]+"/, '');
    for (const kind of ['clusters', 'operations'])
      expect(await bodyOf(`/api/v1/${kind}/${kind === 'clusters' ? 'demo' : 'op-demo'}`)).toBe(
        await bodyOf(`/api/v1/${kind}/${kind === 'clusters' ? 'none' : 'op-none'}`),
      );
  });

  test('lists hold only what the caller may see', async () => {
    const token = tokenFor('lister', 'user', 'user');
    for (const cluster of ['demo', 'other'])
      site.engine.happen('cluster.changed', { cluster, operation: `op-${cluster}` });
    site.engine.happen('agent.connected');
    const seen = async (path: string): Promise<string> =>
      (await ask(site.url + path, site.authority.certificate, { token })).text;
    for (const path of ['clusters', 'operations', 'machines', 'events', 'access-list']) {
      const text = await seen(`/api/v1/${path}`);
      expect([path, text.includes('other'), text.includes('agent.connected')]).toEqual([path, false, false]);
    }
    expect(await seen('/api/v1/clusters')).toContain('demo');
    expect(await seen('/api/v1/events')).toContain('cluster.changed');
  });

  test('a token cut down to one cluster and to reading does nothing else, whatever its account may', async () => {
    const account = site.door.tokens.addAccount('narrow', 'admin');
    const scope = { verbs: ['read'], clusters: ['demo'] };
    const { token } = site.tokens.issueTo(account.id, { name: 'narrow', days: 1, scope });
    const routes = new Map(table.map((route) => [route.id, route]));
    const results: string[] = [];
    for (const id of ['cluster.get', 'cluster.delete', 'user.create', 'secret.set', 'operation.resume'])
      results.push(await tryRoute(routes.get(id) as Route, token));
    expect(results).toEqual(['passes', 'forbidden', 'forbidden', 'forbidden', 'forbidden']);
    expect(await tryRoute(routes.get('cluster.get') as Route, token, 'other')).toBe('hidden');
    const list = await ask(`${site.url}/api/v1/clusters`, site.authority.certificate, { token });
    expect(list.text).not.toContain('other');
  });
});
