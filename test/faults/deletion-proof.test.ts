import { afterEach, expect, it } from 'vitest';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { cutPoints, type Crossing, type Cut } from './boundaries.ts';
import { World } from './harness.ts';

const text = answerFile({ masters: 1, workers: 2 });
const seed = runSeed();
/** Cases outside the full ring. */
const slice = 120;
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** One thing of a list; ids of machines are drawn anew in each run. */
interface Entry {
  readonly type: string;
  readonly name: string;
}

interface Lists {
  readonly gone: readonly string[];
  readonly kept: readonly string[];
  readonly left: readonly string[];
}

interface Ending {
  readonly lists: Lists;
  readonly crossings: readonly Crossing[];
  readonly timeline: string;
}

function listsOf(facts: unknown): Lists {
  const proof = (facts ?? {}) as { gone?: Entry[]; kept?: Entry[]; left?: Entry[] };
  const shown = (entries: readonly Entry[] | undefined): string[] =>
    entries === undefined ? ['no list'] : entries.map(({ type, name }) => `${type} ${name}`).sort();
  return { gone: shown(proof.gone), kept: shown(proof.kept), left: shown(proof.left) };
}

/** Makes a cluster, deletes it with a death on the way, and reads the three lists of the proof. */
async function deleteUnder(cut: Cut | undefined): Promise<Ending> {
  const world = new World(cut === undefined ? {} : { cut });
  worlds.push(world);
  await world.open();
  expect((await world.run(world.apply(text, 'create')))?.state, world.explain()).toBe('succeeded');
  world.boundaries.begin();
  const { id, state } = await world.run(world.remove('demo', 'delete'));
  expect(state, world.explain()).toBe('succeeded');
  const { stepList } = await world.run(world.request((engine) => engine.getOperation(id)));
  const proof = stepList.find(({ kind }) => kind === 'teardown.prove');
  const ending = {
    lists: listsOf(proof?.facts),
    crossings: world.boundaries.crossings,
    timeline: world.explain(),
  };
  world.close();
  worlds.splice(0);
  return ending;
}

it('complaint 16: whoever dies during delete, the proof names everything that was removed', async () => {
  const plain = await deleteUnder(undefined);
  expect(plain.lists).toMatchObject({ kept: [], left: [] });
  expect(plain.lists.gone).toHaveLength(3);
  const all = plain.crossings.flatMap(({ index }) =>
    cutPoints.flatMap((point) => [
      { index, point, kill: ['daemon'] } satisfies Cut,
      { index, point, kill: ['daemon', 'agent'] } satisfies Cut,
    ]),
  );
  const isFull = process.env['REMUDA_RING'] === 'full';
  const chosen = isFull ? all : sample(all, slice, seededRandom(seed));
  const wrong: string[] = [];
  for (const cut of chosen) {
    const { lists, timeline } = await deleteUnder(cut);
    if (JSON.stringify(lists) === JSON.stringify(plain.lists)) continue;
    const { process: who, kind, label } = plain.crossings[cut.index] ?? {};
    if (wrong.length === 0) console.error(timeline);
    wrong.push(`${cut.kill.join('+')} ${cut.point} ${who} ${kind} "${label}": ${JSON.stringify(lists)}`);
  }
  expect(wrong, `${chosen.length} of ${all.length} cases, REMUDA_SEED=${seed}`).toEqual([]);
}, 3_600_000);
