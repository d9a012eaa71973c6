import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { placeWorkload } from '../fleet/model/controllers.ts';
import { finalState } from '../fleet/final-state.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { cutPoints, type Crossing, type Cut, type ProcessName } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';

const text = answerFile();
const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Cases a kind of operation and victim outside the full ring. */
const slice = 50;
/** As `slice`, in the full ring, of stories that only the death of both tries at every point. */
const largeSlice = 400;

/** What a run left behind, and what it must have left behind. */
interface Outcome {
  readonly state: string;
  readonly births: readonly string[];
  readonly violations: readonly string[];
  readonly ending: string;
  readonly crossings: readonly Crossing[];
  readonly hasCut: boolean;
  readonly timeline: string;
}

/** A story that is played to its end, and how it ended. */
export type Story = (world: World) => Promise<string>;

/** How an operation ended, with the reason if it did not end well. */
export const endOf = (view: OperationView | undefined): string =>
  [view?.state ?? 'nothing to do', view?.problem?.code, view?.problem?.summary].filter(Boolean).join(' ');

const create: Story = async (world) => endOf(await world.apply(text, 'create'));

const createAndDelete: Story = async (world) => {
  const created = await create(world);
  for (const cluster of world.fleet.clusters.values()) placeWorkload(world.fleet, cluster, 'demo-general-1');
  world.boundaries.begin();
  const removed = await world.remove('demo', 'delete');
  return `${created}, ${endOf(removed)}`;
};

/** A small cluster whose only master is replaced while one of its workers goes: every step of a departure, once. */
const createAndReplace: Story = async (world) => {
  const created = endOf(await world.apply(answerFile({ masters: 1, workers: 2 }), 'create'));
  world.boundaries.begin();
  const change = { kind: 'replace', machines: ['demo-cp-1'], mode: 'destroy' } as const;
  const replaced = await world.change(change, 'replace');
  const kept = { kind: 'remove', machines: ['demo-general-1'], mode: 'keep' } as const;
  return [created, endOf(replaced), endOf(await world.change(kept, 'keep'))].join(', ');
};

/** Two backups of which one is kept. */
const createAndBackUp: Story = async (world) => {
  const backup = '{ keep: { keepLast: 1 } }';
  const created = endOf(await world.apply(answerFile({ masters: 1, workers: 0, backup }), 'create'));
  world.boundaries.begin();
  const ends = [created];
  for (const key of ['first', 'second']) {
    const asked = {
      cluster: 'demo',
      principal: 'tester',
      intent: { kind: 'backup' },
      idempotencyKey: key,
    } as const;
    const { operation } = await world.request((engine) => engine.dayTwo.start(asked));
    ends.push(endOf(operation && (await world.ended(operation.id))));
    await world.clock.sleep(60_000);
  }
  const kept = await world.request(() =>
    world.fleet.backups.map(({ manifest: { id, cluster, file } }) => {
      const receipt = world.daemon?.state.backups.find(cluster.uid, id);
      return receipt?.fileSha256 === file.sha256 ? 'kept and known' : 'not known';
    }),
  );
  return [...ends, ...kept].join(', ');
};

/** Operations may be called otherwise where a request was made again. */
const withoutOperation = (birth: string): string => birth.replace(/^backup [^/]+\//, 'backup ');

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** Plays a story in a world of its own. `from` says from which story on boundaries count. */
async function play(story: Story, options: WorldOptions, countsFrom: 'open' | 'story'): Promise<Outcome> {
  const world = new World(options);
  worlds.push(world);
  try {
    await world.open();
    if (countsFrom === 'open') world.boundaries.begin();
    const ending = await world.run(story(world));
    // Whatever still runs somewhere comes to its end before the state is compared.
    await world.run(world.clock.sleep(600_000));
    return {
      state: finalState(world.fleet),
      births: world.fleet.births.map(withoutOperation).toSorted(),
      violations: world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
      ending,
      crossings: world.boundaries.crossings,
      hasCut: world.boundaries.hasCut,
      timeline: world.explain(),
    };
  } finally {
    world.close();
    worlds.splice(0);
  }
}

const casesOf = (undisturbed: Outcome, kill: readonly ProcessName[]): Cut[] =>
  undisturbed.crossings.flatMap(({ index }) => cutPoints.map((point): Cut => ({ index, point, kill })));

/** Cuts a story at its boundaries; outside the full ring, and where it is not whole, at so many of them. */
export async function proveEveryBoundary(
  story: Story,
  kill: readonly ProcessName[],
  countsFrom: 'open' | 'story',
  ending: string,
  isWhole = true,
  most = slice,
): Promise<void> {
  const undisturbed = await play(story, {}, countsFrom);
  expect(undisturbed.violations, undisturbed.timeline).toEqual([]);
  expect(undisturbed.ending, undisturbed.timeline).toBe(ending);
  const all = casesOf(undisturbed, kill);
  const size = isFull ? largeSlice : most;
  const chosen = isFull && isWhole ? all : sample(all, size, seededRandom(seed));
  console.info(
    `${chosen.length} of ${all.length} cases at ${undisturbed.crossings.length} boundaries (REMUDA_SEED=${seed})`,
  );
  const failures: string[] = [];
  for (const cut of chosen) {
    const crossing = undisturbed.crossings[cut.index];
    const outcome = await play(story, { cut }, countsFrom);
    const wrong = [
      ...outcome.violations,
      ...(outcome.ending === ending ? [] : [`ended: ${outcome.ending}`]),
      ...differences('state', undisturbed.state.split('\n'), outcome.state.split('\n')),
      ...differences('made', undisturbed.births, outcome.births),
    ];
    if (wrong.length === 0) continue;
    const where = `${cut.kill.join('+')} killed ${cut.point} ${crossing?.process} ${crossing?.kind} "${crossing?.label}" (boundary ${cut.index})`;
    failures.push([`${where}:`, ...wrong].join('\n  '));
    if (failures.length === 1) console.error(outcome.timeline);
    if (failures.length === 5) break;
  }
  expect(failures.join('\n'), `REMUDA_SEED=${seed}`).toBe('');
}

/** Lines that only one of two lists has, a few of them: what a red case shows. */
function differences(what: string, expected: readonly string[], found: readonly string[]): string[] {
  const count = (lines: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const [before, after] = [count(expected), count(found)];
  const lines = [...new Set([...before.keys(), ...after.keys()])];
  return lines
    .filter((line) => before.get(line) !== after.get(line))
    .map(
      (line) =>
        `${what}: ${before.get(line) ?? 0} times expected, ${after.get(line) ?? 0} times found: ${line.trim()}`,
    )
    .slice(0, 10);
}

/**
 * Kills these processes together at each boundary of a creation and of a deletion, at each of its points, and proves
 * that nothing shows of it in the end. A file a victim, so that the whole matrix takes every core there is.
 */
export function describeBoundaries(victims: readonly ProcessName[]): void {
  describe(`kill -9 of ${victims.join(' and ')} at every effect boundary (DESIGN §9; complaints 3 and 5)`, () => {
    it('create 3+2: resumes unasked, ends as if nobody had died, makes nothing twice', async () => {
      await proveEveryBoundary(create, victims, 'open', 'succeeded');
    }, 3_600_000);

    it('replace a master, keep a worker: resumes unasked, ends as if nobody had died (V8)', async () => {
      const isWhole = victims.length > 1;
      const ending = 'succeeded, succeeded, succeeded';
      await proveEveryBoundary(createAndReplace, victims, 'story', ending, isWhole);
    }, 3_600_000);

    it('back up twice, keep one: resumes unasked, takes none twice', async () => {
      const ending = 'succeeded, succeeded, succeeded, kept and known';
      await proveEveryBoundary(createAndBackUp, victims, 'story', ending);
    }, 3_600_000);

    it('delete: resumes unasked, leaves but the kept volume, removes nothing twice', async () => {
      await proveEveryBoundary(createAndDelete, victims, 'story', 'succeeded, succeeded');
    }, 3_600_000);
  });
}
