import { describe, expect, it } from 'vitest';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { cutPoints, type Crossing, type Cut, type ProcessName } from './boundaries.ts';
import { World } from './harness.ts';
import { beginAdoption, beginEjection, clusterOf, endOf, fileOf, marksIn, wish } from './ownership-story.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Cases a story outside the full ring. */
const slice = 4;

/** What is cut, and what must hold when it is over. */
interface Story {
  readonly title: string;
  /** Machines of etcd, where it stands apart. */
  readonly etcd: number;
  prepare(world: World): Promise<void>;
  begin(world: World): Promise<string>;
  wrong(world: World): Promise<readonly string[]>;
}

/** Stories of a cluster with one master and one worker. */
const storiesOf = (etcd: number): readonly Story[] => [
  {
    title: `eject${etcd === 0 ? '' : ', etcd apart'}`,
    etcd,
    prepare: async () => undefined,
    begin: beginEjection,
    async wrong(world) {
      const living = await world.run(world.request((engine) => engine.listClusters()));
      const { isReleased, machines } = clusterOf(world);
      return [
        ...marksIn(world),
        ...(isReleased ? [] : ['not released']),
        ...(machines.size === 2 + etcd ? [] : [`${machines.size} machines`]),
        ...living.map(({ name }) => `${name} is still known`),
      ];
    },
  },
  {
    title: `adopt what a lost appliance kept${etcd === 0 ? '' : ', etcd apart'}`,
    etcd,
    prepare: (world) => world.loseState(),
    begin: (world) => beginAdoption(world, wish(world, 1, { takesOver: true, text: fileOf(1, etcd) })),
    wrong: (world) => settled(world, etcd),
  },
  {
    title: `adopt what was ejected${etcd === 0 ? '' : ', etcd apart'}`,
    etcd,
    async prepare(world) {
      const view = await world.run((async () => endOf(world, await beginEjection(world)))());
      expect(view.state).toBe('succeeded');
    },
    begin: (world) => beginAdoption(world, wish(world, 1, { text: fileOf(1, etcd) })),
    wrong: (world) => settled(world, etcd),
  },
];

/** Adopted: it is ours, its machines let us in, and nothing was made or lost. */
async function settled(world: World, etcd: number): Promise<readonly string[]> {
  const { identity, isReleased, machines } = clusterOf(world);
  const made = await world.run(world.apply(fileOf(1, etcd), 'settle'));
  const again = await world.run(world.apply(fileOf(1, etcd), 'again'));
  const known = await world.run(world.request((engine) => engine.getCluster('demo')));
  const secrets = world.daemon?.state.secrets.list() ?? [];
  return [
    ...(known.uid === identity.uid ? [] : [`another uid: ${known.uid}`]),
    ...(isReleased ? ['still released'] : []),
    ...(machines.size === 2 + etcd ? [] : [`${machines.size} machines`]),
    ...(made === undefined || made.state === 'succeeded' ? [] : [`apply ended ${made.state}`]),
    ...(again === undefined ? [] : ['a second apply changed something']),
    ...secrets.map(({ name }) => `the secret ${name} is left`),
  ];
}

async function wrongAfter(
  story: Story,
  cut?: Cut,
): Promise<{ readonly wrong: readonly string[]; readonly crossings: readonly Crossing[] }> {
  const world = new World(cut === undefined ? {} : { cut });
  try {
    await world.open();
    await world.run(world.apply(fileOf(1, story.etcd), 'make'));
    await story.prepare(world);
    const births = world.fleet.births.length;
    world.boundaries.begin();
    const view = await world.run((async () => endOf(world, await story.begin(world)))());
    const { crossings } = world.boundaries;
    const wrong = [
      ...(view.state === 'succeeded' ? [] : [`ended ${view.state}: ${view.problem?.summary ?? ''}`]),
      ...world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
      ...(world.fleet.births.length === births ? [] : ['something was made']),
      ...(view.state === 'succeeded' ? await story.wrong(world) : []),
    ];
    if (wrong.length > 0) console.error(world.explain());
    return { wrong, crossings: [...crossings] };
  } finally {
    world.close();
  }
}

describe('kill -9 at every effect boundary of eject and adopt (DESIGN §9, H23)', () => {
  for (const story of [...storiesOf(0), ...storiesOf(3)])
    it(`${story.title}: resumes unasked and ends as if nobody had died`, async () => {
      const undisturbed = await wrongAfter(story);
      expect(undisturbed.wrong).toEqual([]);
      const victims: readonly ProcessName[][] = [['agent'], ['daemon'], ['agent', 'daemon']];
      const cases = undisturbed.crossings.flatMap(({ index }) =>
        victims.flatMap((kill) => cutPoints.map((point): Cut => ({ index, point, kill }))),
      );
      const chosen = sample(cases, isFull ? 400 : slice, seededRandom(seed));
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
