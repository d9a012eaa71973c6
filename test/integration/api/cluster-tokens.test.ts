import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { fakeRefusal } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite();
  addFakeCluster(site, 'demo');
});
afterAll(() => site[Symbol.asyncDispose]());

function person(name: string, inDemo: 'admin' | 'viewer' | 'user'): string {
  const { token, view } = site.tokens.issue({ name, role: 'user', days: 1 });
  grantRole(site, view.principal, 'demo', inDemo);
  return token;
}
const call = (method: string, token: string, path = '', body?: object) =>
  ask(`${site.url}/api/v1/clusters/demo/credentials${path}`, site.authority.certificate, {
    method,
    token,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const askedOf = (name: string) =>
  site.engine.asked.filter((asked) => asked.name === name).map(({ request }) => request);
interface Issued {
  readonly credential: { readonly id: string; readonly kind: string; readonly expiresAt: string };
  readonly kubeconfig: string;
  readonly token: string;
}
const states = async (token: string) =>
  ((await call('GET', token)).json as { items: { state: string }[] }).items.map(({ state }) => state);

describe('E1: a token of a person for a cluster', () => {
  test('is shown once, kept nowhere, bound to the role she has there, and ends', async () => {
    const alice = person('alice', 'user');
    const issued = await call('POST', alice, '', { kind: 'token', days: 7 });
    expect(issued.status).toBe(201);
    const { credential, kubeconfig, token } = issued.json as Issued;
    expect([credential.kind, token]).toEqual(['token', 'token-of-the-cluster']);
    expect(kubeconfig).toContain('token: token-of-the-cluster');
    expect(Math.round((Date.parse(credential.expiresAt) - Date.now()) / 3_600_000)).toBe(168);
    expect(askedOf('issueToken').at(-1)).toMatchObject({
      principal: 'token:alice',
      group: 'remuda:users',
      seconds: 604_800,
    });
    expect((await call('GET', alice)).text).not.toContain('token-of-the-cluster');
    const kept = JSON.stringify(site.state.database.prepare('SELECT * FROM credentials').all());
    expect(kept + JSON.stringify(site.state.audit.list(0, 1000)) + site.log.join('')).not.toContain(
      'token-of-the-cluster',
    );
    const boss = person('boss', 'admin');
    await call('POST', boss, '', { kind: 'token' });
    expect(askedOf('issueToken').at(-1)).toMatchObject({
      group: 'remuda:cluster-admins',
      seconds: 30 * 86_400,
    });
  });

  test('is revoked in the cluster first: while that cannot be done it does not count as revoked', async () => {
    const carol = person('carol', 'viewer');
    const { credential } = (await call('POST', carol, '', { kind: 'token' })).json as Issued;
    site.engine.refusal = fakeRefusal('unavailable');
    expect((await call('DELETE', carol, `/${credential.id}`)).status).toBe(503);
    expect(await states(carol)).toEqual(['active']);
    expect((await call('DELETE', carol, `/${credential.id}`)).status).toBe(200);
    expect(askedOf('revokeToken').at(-1)).toEqual({ cluster: 'demo', id: credential.id });
    expect(await states(carol)).toEqual(['revoked']);
  });

  test('one that could not be made leaves no active credential behind', async () => {
    const dave = person('dave', 'user');
    site.engine.refusal = fakeRefusal('unavailable');
    expect((await call('POST', dave, '', { kind: 'token' })).status).toBe(503);
    expect(await states(dave)).toEqual(['revoked']);
  });

  test("somebody else's cannot be revoked, nor seen; the cluster's administrator may do both", async () => {
    const erin = person('erin', 'user');
    const { credential } = (await call('POST', erin, '', { kind: 'token' })).json as Issued;
    const frank = person('frank', 'user');
    expect((await call('DELETE', frank, `/${credential.id}`)).status).toBe(404);
    expect((await call('GET', frank)).text).not.toContain('erin');
    const grace = person('grace', 'admin');
    expect((await call('GET', grace)).text).toContain('erin');
    expect((await call('DELETE', grace, `/${credential.id}`)).status).toBe(200);
  });
});
