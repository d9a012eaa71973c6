import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeSite } from './fake-site.ts';

let site: FakeSite;
beforeEach(async () => {
  site = new FakeSite();
  await site.start();
});
afterEach(() => site.close());

/**
 * Applies a cluster so many times to the end, each time with one thing more than there is; answers the ids of the
 * operations, oldest first. The fake agent's things belong to all clusters.
 */
async function grow(name: string, times: number): Promise<string[]> {
  const ids: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const things = Array.from({ length: site.agent.made.size + 1 }, (_, index) => ({
      id: `thing-${index}`,
      after: [],
    }));
    const { operations } = await site.apply({ name, things });
    for (const { id } of operations) ids.push((await site.end(id)).id);
  }
  return ids;
}

const idsOf = (filter: Parameters<FakeSite['engine']['listOperations']>[0]) =>
  site.engine.listOperations(filter).map(({ id }) => id);

test('operations are listed newest first, of all or of one cluster, and from an older one on', async () => {
  const one = await grow('one', 3);
  const two = await grow('two', 2);
  const newestFirst = [...one, ...two].toReversed();
  expect(newestFirst).toHaveLength(5);
  expect(idsOf({})).toEqual(newestFirst);
  expect(idsOf({ limit: 2 })).toEqual(newestFirst.slice(0, 2));
  expect(idsOf({ limit: 2, ...before(newestFirst[1]) })).toEqual(newestFirst.slice(2, 4));
  expect(idsOf({ cluster: 'one', ...before(two[0]) })).toEqual(one.toReversed());
  expect(idsOf({ cluster: 'one', ...before(one[1]) })).toEqual([one[0]]);
  expect(idsOf(before(newestFirst.at(-1)))).toEqual([]);
});

const before = (id: string | undefined): { readonly before: string } => ({ before: id ?? '' });

test('lists and details of clusters say the same, and what is asked of all is their newest documents', async () => {
  await grow('one', 3);
  await grow('two', 1);
  const details = ['one', 'two'].map((name) => site.engine.getCluster(name));
  const listed = details.map(
    ({ desired: _desired, text: _text, yaml: _yaml, observed: _observed, ...entry }) => entry,
  );
  expect(site.engine.listClusters()).toEqual(listed);
  expect(listed.map(({ revision }) => revision)).toEqual([3, 1]);
  expect(site.state.revisions.newestDocuments()).toEqual(details.map(({ desired }) => desired));
});
