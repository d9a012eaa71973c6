import { load } from 'js-yaml';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Role } from '../../../daemon/access/principals.ts';
import { codeOf } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { type Answer, ask } from './http.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
  for (const name of ['demo', 'other']) addFakeCluster(site, name);
});
afterEach(() => site[Symbol.asyncDispose]());

function tokenOf(name: string, inDemo: Role): string {
  const { token, view } = site.tokens.issue({ name, role: 'user', days: 1 });
  grantRole(site, view.principal, 'demo', inDemo);
  return token;
}
const path = '/api/v1/clusters/demo/credentials';
const send = (token: string, method: string, url: string, body?: object): Promise<Answer> =>
  ask(site.url + url, site.authority.certificate, {
    method,
    token,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const sign = (token: string): Promise<Answer> => send(token, 'POST', path, { request: 'fake PKCS#10' });

const anAuthority = expect.stringMatching(/^[0-9a-f]{16}$/) as string;

test('E3: a person takes a kubeconfig that holds no secret, and certificates by it', async () => {
  const dev = tokenOf('dev', 'user');
  const taken = await send(dev, 'POST', path, { kind: 'kubeconfig' });
  const { kubeconfig } = taken.json as { readonly kubeconfig: string };
  expect(load(kubeconfig)).toMatchObject({
    clusters: [{ name: 'demo', cluster: { server: 'https://10.77.0.100:6443' } }],
    users: [
      {
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: 'remuda',
            args: ['credential', '--cluster', 'demo', '--authority', anAuthority, '--exec-api', 'v1beta1'],
            env: [{ name: 'REMUDA_SERVER', value: site.url }],
          },
        },
      },
    ],
  });
  expect(kubeconfig).not.toMatch(/token|key-data|password/i);
  expect((await sign(dev)).status).toBe(201);
  expect((await send(dev, 'GET', path)).json).toMatchObject({
    items: [{ cluster: 'demo', principal: 'token:dev', kind: 'kubeconfig', state: 'active' }],
  });
});

test.each<[Role, string]>([
  ['user', 'remuda:users'],
  ['viewer', 'remuda:viewers'],
  ['operator', 'remuda:cluster-admins'],
  ['admin', 'remuda:cluster-admins'],
])('a %s of a cluster gets certificates of the group %s', async (role, group) => {
  await sign(tokenOf(`dev-${role}`, role));
  const { request } = site.engine.asked.findLast(({ name }) => name === 'issueCredential') ?? {};
  expect(request).toMatchObject({ groups: [group], principal: `token:dev-${role}` });
});

test('a revoked one signs no certificate any more, and says until when the last is good', async () => {
  const dev = tokenOf('dev', 'user');
  const boss = tokenOf('boss', 'admin');
  await sign(dev);
  const { items } = (await send(boss, 'GET', path)).json as { items: { id: string; principal: string }[] };
  const revoked = await send(boss, 'DELETE', `${path}/${items[0]?.id ?? ''}`);
  expect(revoked.json).toMatchObject({
    state: 'revoked',
    revokedBy: 'token:boss',
    validUntil: expect.any(String),
  });
  expect(codeOf(await sign(dev))).toBe('ACCESS-018');
  // What somebody else took away she does not give herself back.
  expect(codeOf(await send(dev, 'POST', path, { kind: 'kubeconfig' }))).toBe('ACCESS-018');
});

test("others' credentials are nobody's but the administrators'", async () => {
  const dev = tokenOf('dev', 'user');
  const peer = tokenOf('peer', 'operator');
  await sign(dev);
  const { items } = (await send(dev, 'GET', path)).json as { items: { id: string }[] };
  expect((await send(peer, 'GET', path)).json).toEqual({ items: [] });
  expect((await send(peer, 'DELETE', `${path}/${items[0]?.id ?? ''}`)).status).toBe(404);
  expect((await send(dev, 'POST', '/api/v1/clusters/other/credentials', { kind: 'kubeconfig' })).status).toBe(
    404,
  );
});
