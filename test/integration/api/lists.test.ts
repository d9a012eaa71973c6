import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { fakeOperation } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite();
  for (const [cluster, machines] of Object.entries({ apple: 3, birch: 0, cedar: 2 })) {
    addFakeCluster(site, cluster);
    const detail = site.engine.getCluster(cluster);
    site.engine.clusters.set(cluster, { ...detail, observed: observedWith(cluster, machines) });
  }
});
afterAll(() => site[Symbol.asyncDispose]());

const observedWith = (name: string, machines: number): Observed => ({
  cluster: { uid: `u-${name}`, name },
  at: '2026-11-21T05:00:00.000Z',
  infrastructure: { state: 'present', detail: '' },
  nodes: Array.from({ length: machines }, (_, index) => ({
    name: `${name}-${index + 1}`,
    ready: true,
    unschedulable: false,
    kubeletVersion: 'v1.20.2',
    controlPlane: false,
    labels: {},
    taints: [],
  })),
  references: {},
  incarnations: {},
  retired: {},
  unseen: [],
});

interface Listed {
  readonly items: readonly { readonly id?: string; readonly name?: string }[];
  readonly next?: string;
}

/** The sizes of all pages, and what stood on them. */
async function pages(path: string, limit: number, token = site.admin): Promise<[number[], string[]]> {
  const sizes: number[] = [];
  const names: string[] = [];
  let next: string | undefined;
  do {
    const query = `limit=${limit}${next === undefined ? '' : `&cursor=${next}`}`;
    const { json } = await ask(`${site.url}${path}?${query}`, site.authority.certificate, { token });
    const page = json as Listed;
    sizes.push(page.items.length);
    names.push(...page.items.map(({ id, name }) => id ?? name ?? ''));
    next = page.next;
  } while (next !== undefined);
  return [sizes, names];
}

const machines = ['apple-1', 'apple-2', 'apple-3', 'cedar-1', 'cedar-2'];

test.each([
  [1, [1, 1, 1, 1, 1]],
  [2, [2, 2, 1]],
  [3, [3, 2]],
  [4, [4, 1]],
  [5, [5]],
  [100, [5]],
])(
  'machines of all clusters in pages of %i: each once, and no empty page at the end',
  async (limit, sizes) => {
    expect(await pages('/api/v1/machines', limit)).toEqual([sizes, machines]);
  },
);

test('a machine of etcd alone is not called a machine without its Node (H4)', async () => {
  addFakeCluster(site, 'dill');
  const machine = (name: string, role: 'worker' | 'etcd') =>
    ({
      name,
      token: name,
      incarnation: 1,
      cluster: { uid: 'u-dill', name: 'dill' },
      role,
      id: name,
      state: 'running',
    }) as const;
  const observed = {
    ...observedWith('dill', 0),
    machines: [machine('dill-etcd-1', 'etcd'), machine('dill-w-1', 'worker')],
  };
  site.engine.clusters.set('dill', { ...site.engine.getCluster('dill'), observed });
  const { json } = await ask(`${site.url}/api/v1/machines`, site.authority.certificate, {
    token: site.admin,
  });
  const { items } = json as { readonly items: readonly { readonly cluster: string }[] };
  expect(items.filter(({ cluster }) => cluster === 'dill')).toMatchObject([
    { name: 'dill-etcd-1', node: 'none' },
    { name: 'dill-w-1', node: 'absent' },
  ]);
  site.engine.clusters.delete('dill');
});

test.each(['apple/apple-9', 'birch/birch-1', 'zebra/zebra-1', 'apple'])(
  'a cursor at %s, where no machine is, is refused',
  async (key) => {
    const cursor = Buffer.from(key).toString('base64url');
    const url = `${site.url}/api/v1/machines?cursor=${cursor}`;
    expect((await ask(url, site.authority.certificate, { token: site.admin })).status).toBe(400);
  },
);

test('pages of operations are filled with what the caller may see, and no cursor leads to what she may not', async () => {
  for (const number of [1, 2, 3, 4, 5, 6, 7])
    for (const name of ['apple', 'cedar']) {
      const id = `${name}-${number}`;
      site.engine.operations.set(id, fakeOperation({ id, cluster: { uid: `u-${name}`, name } }));
    }
  const { token } = site.tokens.issue({ name: 'gardener', role: 'user', days: 1 });
  const gardener = site.state.principals.find('service', 'gardener')?.id ?? '';
  grantRole(site, gardener, 'cedar', 'viewer');
  const own = ['op-cedar', ...[1, 2, 3, 4, 5, 6, 7].map((number) => `cedar-${number}`)];
  expect(await pages('/api/v1/operations', 3, token)).toEqual([[3, 3, 2], own]);
  expect(await pages('/api/v1/operations', 4, token)).toEqual([[4, 4], own]);
  const foreign = Buffer.from('apple-3').toString('base64url');
  const url = `${site.url}/api/v1/operations?cursor=${foreign}`;
  expect((await ask(url, site.authority.certificate, { token })).status).toBe(400);
});

test('events are answered from either end: after a number oldest first, before a number newest first', async () => {
  for (let number = 1; number <= 12; number += 1)
    site.engine.happened.push({
      number,
      at: '2026-11-21T05:00:00.000Z',
      type: 'cluster.changed',
      cluster: number % 2 === 1 ? 'apple' : 'birch',
      data: {},
    });
  const { token } = site.tokens.issue({ name: 'picker', role: 'user', days: 1 });
  grantRole(site, site.state.principals.find('service', 'picker')?.id ?? '', 'apple', 'viewer');
  const seen = async (query: string, by = site.admin) => {
    const url = `${site.url}/api/v1/events?${query}`;
    const { json } = await ask(url, site.authority.certificate, { token: by });
    return (json as { readonly items: readonly { readonly number: number }[] }).items.map(
      ({ number }) => number,
    );
  };
  expect(await seen('after=4&limit=3')).toEqual([5, 6, 7]);
  expect(await seen('before=9&limit=3')).toEqual([8, 7, 6]);
  expect(await seen(`before=${Number.MAX_SAFE_INTEGER}&limit=2`)).toEqual([12, 11]);
  // A page is filled with what the caller may see.
  expect(await seen(`before=10&limit=3`, token)).toEqual([9, 7, 5]);
});
