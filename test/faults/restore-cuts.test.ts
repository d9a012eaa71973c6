import { describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { cutPoints, type Crossing, type Cut, type ProcessName } from './boundaries.ts';
import type { World } from './harness.ts';
import {
  backUp,
  begin,
  expectSettled,
  fromBackup,
  fromSurvivor,
  lose,
  openWith,
  type Size,
  votersOf,
  write,
  written,
} from './restore-story.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Cases a story outside the full ring. */
const slice = 10;

/** A way into a restore, and what the cluster holds after it. */
interface Story {
  readonly title: string;
  readonly holds: readonly string[];
  readonly size: Size;
  play(world: World): ReturnType<typeof begin>;
}

const all = ['demo-cp-1', 'demo-cp-2', 'demo-cp-3'];

const stories: readonly Story[] = [
  {
    title: 'back to yesterday',
    holds: ['before'],
    size: 3,
    async play(world) {
      const manifest = backUp(world);
      write(world, 'after');
      world.boundaries.begin();
      return begin(world, fromBackup(manifest));
    },
  },
  {
    title: 'on with the data of who is left',
    holds: ['after', 'before'],
    size: 3,
    async play(world) {
      write(world, 'after');
      await lose(world, 'demo-cp-1', 'demo-cp-3');
      world.boundaries.begin();
      return begin(world, fromSurvivor('demo-cp-2', ['demo-cp-1', 'demo-cp-3']));
    },
  },
  {
    title: 'every master lost',
    holds: ['before'],
    size: 3,
    async play(world) {
      const manifest = backUp(world);
      write(world, 'after');
      await lose(world, ...all);
      world.boundaries.begin();
      return begin(world, fromBackup(manifest, all));
    },
  },
  {
    title: 'back to yesterday, etcd on machines of its own (H4)',
    holds: ['before'],
    size: { masters: 3, etcd: 3 },
    async play(world) {
      const manifest = backUp(world);
      write(world, 'after');
      world.boundaries.begin();
      return begin(world, fromBackup(manifest));
    },
  },
  {
    title: 'on with the data of the machine of etcd that is left (H4)',
    holds: ['after', 'before'],
    size: { masters: 1, etcd: 3 },
    async play(world) {
      write(world, 'after');
      await lose(world, 'demo-etcd-1', 'demo-etcd-3');
      world.boundaries.begin();
      return begin(world, fromSurvivor('demo-etcd-2', ['demo-etcd-1', 'demo-etcd-3']));
    },
  },
  {
    title: 'every machine of etcd lost, and one of three masters (H4)',
    holds: ['before'],
    size: { masters: 3, etcd: 3 },
    async play(world) {
      const manifest = backUp(world);
      write(world, 'after');
      const lost = ['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3', 'demo-cp-1'];
      await lose(world, ...lost);
      world.boundaries.begin();
      return begin(world, fromBackup(manifest, lost));
    },
  },
];

/** How an operation stands when it is over, or when it should be by any measure: nothing may wait for a person. */
async function endOf(world: World, id: string): Promise<OperationView> {
  for (let waited = 0; ; waited += 10) {
    const view = await world.request((engine) => engine.getOperation(id));
    if (['succeeded', 'failed', 'cancelled'].includes(view.state) || waited > 7200) return view;
    await world.clock.sleep(10_000);
  }
}

/** Plays a story to its end and says what is wrong with that; empty when nothing is. */
async function wrongAfter(
  { play, holds, size }: Story,
  cut?: Cut,
): Promise<{ readonly wrong: readonly string[]; readonly crossings: readonly Crossing[] }> {
  const world = await openWith(size, cut === undefined ? {} : { cut });
  try {
    write(world, 'before');
    const { id } = await play(world);
    const view = await world.run(endOf(world, id));
    const restored = world.fleet.births.filter((birth) => birth.startsWith('etcd restored '));
    const wrong = [
      ...(view.state === 'succeeded'
        ? []
        : [`ended ${view.state} ${view.waitingFor ?? ''}: ${view.problem?.summary ?? ''}`]),
      ...world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
      ...(written(world).join() === holds.join() ? [] : [`holds ${written(world).join()}`]),
      ...(votersOf(world).length === 3 ? [] : [`voters: ${votersOf(world).join()}`]),
      ...(restored.length === 1 ? [] : [`made anew ${restored.length} times`]),
    ];
    if (wrong.length > 0) console.error(world.explain());
    else await expectSettled(world, size);
    return { wrong, crossings: world.boundaries.crossings };
  } finally {
    world.close();
  }
}

describe('kill -9 at every effect boundary of a restore (DESIGN §9, V8, complaint 8)', () => {
  for (const story of stories)
    it(`${story.title}: resumes unasked, makes the data anew once, ends as if nobody had died`, async () => {
      const undisturbed = await wrongAfter(story);
      expect(undisturbed.wrong).toEqual([]);
      const victims: readonly ProcessName[][] = [['agent'], ['daemon'], ['agent', 'daemon']];
      const cases = undisturbed.crossings.flatMap(({ index }) =>
        victims.flatMap((kill) => cutPoints.map((point): Cut => ({ index, point, kill }))),
      );
      const chosen = isFull
        ? sample(cases, 400, seededRandom(seed))
        : sample(cases, typeof story.size === 'number' ? slice : slice / 2, seededRandom(seed));
      console.info(`${chosen.length} of ${cases.length} cases (REMUDA_SEED=${seed})`);
      const failures: string[] = [];
      for (const cut of chosen) {
        const { wrong } = await wrongAfter(story, cut);
        const crossing = undisturbed.crossings[cut.index];
        const where = `${cut.kill.join('+')} ${cut.point} ${crossing?.process} ${crossing?.kind} "${crossing?.label}" (${cut.index})`;
        if (wrong.length > 0) failures.push(`${where}: ${wrong.join('; ')}`);
        if (failures.length === 3) break;
      }
      expect(failures.join('\n'), `REMUDA_SEED=${seed}`).toBe('');
    }, 3_600_000);
});
