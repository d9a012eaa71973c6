import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addFakeCluster } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { type Answer, ask } from './http.ts';

let site: FakeSite;
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(() => site[Symbol.asyncDispose]());

const send = (method: string, path: string, body?: object, token = site.admin): Promise<Answer> =>
  ask(`${site.url}/api/v1/${path}`, site.authority.certificate, {
    method,
    token,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

interface Listed {
  readonly items: readonly {
    readonly name: string;
    readonly lastUsedAt?: string;
    readonly expiresAt?: string;
  }[];
}

/** A service account with one token. */
async function account(): Promise<string> {
  expect((await send('POST', 'service-accounts', { name: 'ci', role: 'operator' })).status).toBe(201);
  const wish = { name: 'nightly', days: 2, scope: { verbs: ['read'], clusters: ['demo'] } };
  const issued = await send('POST', 'service-accounts/ci/tokens', wish);
  expect(issued.status).toBe(201);
  return (issued.json as { readonly token: string }).token;
}
const nightly = async (): Promise<Listed['items'][number] | undefined> =>
  ((await send('GET', 'tokens')).json as Listed).items.find(({ name }) => name === 'nightly');

describe('service accounts and their tokens (issue 3)', () => {
  test('a token has a name, a scope and an end; it is shown once and kept as a hash', async () => {
    addFakeCluster(site, 'demo');
    const token = await account();
    expect(await nightly()).toMatchObject({ scope: { verbs: ['read'], clusters: ['demo'] } });
    const lists = (await send('GET', 'tokens')).text + (await send('GET', 'service-accounts')).text;
    const rows = JSON.stringify(site.state.database.prepare('SELECT * FROM tokens').all());
    for (const text of [lists, rows, site.log.join('')]) expect(text).not.toContain(token.split('.').at(-1));
    expect((await send('GET', 'clusters/demo', undefined, token)).status).toBe(200);
    expect((await send('POST', 'clusters/demo/delete', { confirm: 'demo' }, token)).status).toBe(403);
    site.advance(2 * 86_400_000 + 1000);
    expect((await send('GET', 'clusters/demo', undefined, token)).status).toBe(401);
  });

  test('its last use is shown, to the minute, and with it that of the account', async () => {
    addFakeCluster(site, 'demo');
    const token = await account();
    expect((await nightly())?.lastUsedAt).toBeUndefined();
    await send('GET', 'clusters/demo', undefined, token);
    const first = (await nightly())?.lastUsedAt;
    expect(first).toBeDefined();
    site.advance(10 * 60_000);
    await send('GET', 'clusters/demo', undefined, token);
    const second = (await nightly())?.lastUsedAt ?? '';
    expect(Date.parse(second) - Date.parse(first ?? '')).toBeGreaterThanOrEqual(9 * 60_000);
    const accounts = ((await send('GET', 'service-accounts')).json as Listed).items;
    expect(accounts.find(({ name }) => name === 'ci')?.lastUsedAt).toBe(second);
  });

  test('an account that is removed takes its tokens along, at once', async () => {
    addFakeCluster(site, 'demo');
    const token = await account();
    expect((await send('DELETE', 'service-accounts/ci')).status).toBe(204);
    expect((await send('GET', 'clusters/demo', undefined, token)).status).toBe(401);
  });
});

test('a cluster has several administrators; each gives and takes roles there, also those of the others', async () => {
  addFakeCluster(site, 'demo');
  const of = (name: string) => site.tokens.issue({ name, role: 'user', days: 1 });
  const [one, other, friend] = [of('one'), of('other'), of('friend')];
  for (const { view } of [one, other]) {
    const given = await send('PUT', 'clusters/demo/grants', { principal: view.principal, role: 'admin' });
    expect(given.status).toBe(200);
  }
  for (const { token } of [one, other]) {
    const wish = { principal: friend.view.principal, role: 'viewer' };
    const given = await send('PUT', 'clusters/demo/grants', wish, token);
    expect(given.status).toBe(200);
    const { id } = given.json as { readonly id: string };
    expect((await send('DELETE', `clusters/demo/grants/${id}`, undefined, token)).status).toBe(204);
  }
  const { items } = (await send('GET', 'clusters/demo/grants', undefined, one.token)).json as {
    readonly items: readonly { readonly id: string; readonly principal?: string }[];
  };
  const ofOther = items.find(({ principal }) => principal === other.view.principal);
  expect(
    (await send('DELETE', `clusters/demo/grants/${ofOther?.id ?? ''}`, undefined, one.token)).status,
  ).toBe(204);
  expect((await send('GET', 'clusters/demo', undefined, other.token)).status).toBe(404);
});
