import { describe, expect, it } from 'vitest';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { cutPoints, type Crossing, type Cut, type ProcessName } from './boundaries.ts';
import { World } from './harness.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Cases outside the full ring, and in it. */
const slice = 10;
const largeSlice = 300;

const hooks = `[
    { name: announce, at: beforeOperation, run: { webhook: { url: "https://hooks.example/r", credentials: { secretRef: hooks } } } },
    { name: flush, at: beforeDrain, run: { machine: { script: sync } } },
    { name: empty, at: afterDrain, run: { job: { image: r.example/smoke, command: [/bin/smoke] } } },
    { name: check, at: afterBoot, run: { machine: { script: sync } } },
    { name: smoke, at: afterOperation, run: { job: { image: r.example/smoke, command: [/bin/smoke] } } },
    { name: sweep, at: afterOperation, run: { machine: { script: sync } } },
    { name: done, at: afterOperation, run: { webhook: { url: "https://hooks.example/r", credentials: { secretRef: hooks } } } }
    ]`;

const once = [
  'afterBoot check demo-general-2',
  'afterDrain empty demo-general-1',
  'afterOperation done ',
  'afterOperation smoke ',
  'afterOperation sweep demo-cp-1',
  'afterOperation sweep demo-general-2',
  'beforeDrain flush demo-general-1',
  'beforeOperation announce ',
];

/** Replaces a worker of a cluster with hooks at every point, and says what is wrong afterwards; empty when nothing is. */
async function wrongAfter(
  cut?: Cut,
): Promise<{ readonly wrong: readonly string[]; readonly crossings: readonly Crossing[] }> {
  const world = new World(cut === undefined ? {} : { cut });
  try {
    await world.open();
    const made = await world.run(world.apply(answerFile({ masters: 1, workers: 1, hooks }), 'create'));
    world.fleet.hookLog.splice(0);
    world.boundaries.begin();
    const change = { kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' } as const;
    const view = await world.run(world.change(change, 'replace'));
    await world.run(world.clock.sleep(60_000));
    const ran = world.fleet.hookLog.map(({ hook, at, machine }) => `${at} ${hook} ${machine}`).toSorted();
    const wrong = [
      ...(made?.state === 'succeeded' ? [] : ['not made']),
      ...(view?.state === 'succeeded' ? [] : [`ended ${view?.state}: ${view?.problem?.summary ?? ''}`]),
      ...world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
      ...(ran.join('\n') === once.join('\n') ? [] : [`ran: ${ran.join(', ')}`]),
    ];
    if (wrong.length > 0) console.error(world.explain());
    return { wrong, crossings: world.boundaries.crossings };
  } finally {
    world.close();
  }
}

describe('kill -9 at every effect boundary of an operation with hooks (DESIGN §1.4, §9; V10)', () => {
  it('each runs once in its place, whoever dies; a message is sent again under its own id', async () => {
    const undisturbed = await wrongAfter();
    expect(undisturbed.wrong).toEqual([]);
    const victims: readonly ProcessName[][] = [['agent'], ['daemon'], ['agent', 'daemon']];
    const cases = undisturbed.crossings.flatMap(({ index }) =>
      victims.flatMap((kill) => cutPoints.map((point): Cut => ({ index, point, kill }))),
    );
    const chosen = sample(cases, isFull ? largeSlice : slice, seededRandom(seed));
    console.info(`${chosen.length} of ${cases.length} cases (REMUDA_SEED=${seed})`);
    const failures: string[] = [];
    for (const cut of chosen) {
      const { wrong } = await wrongAfter(cut);
      const crossing = undisturbed.crossings[cut.index];
      const where = `${cut.kill.join('+')} ${cut.point} ${crossing?.process} ${crossing?.kind} "${crossing?.label}" (${cut.index})`;
      if (wrong.length > 0) failures.push(`${where}: ${wrong.join('; ')}`);
      if (failures.length === 3) break;
    }
    expect(failures.join('\n'), `REMUDA_SEED=${seed}`).toBe('');
  }, 3_600_000);
});
