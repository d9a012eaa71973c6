import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSeed, seededRandom, type Random } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { KillBench } from './kill-bench.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
/** Runs in all; DESIGN §9 and the milestone ask for at least 40. */
const runs = Number(process.env['REMUDA_RUNS'] ?? (isFull ? 200 : 40));
const seed = runSeed();
const text = answerFile();
/** Compiled once for the three hundred starts of a run, which would else be half of its work. */
const compiled = mkdtempSync(join(tmpdir(), 'remuda-kill-compiled-'));
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Ending {
  readonly created: string | undefined;
  readonly state: string;
  readonly violations: readonly string[];
  readonly births: readonly string[];
  readonly story: string;
}

async function createUnder(random: Random | undefined): Promise<Ending> {
  const bench = await KillBench.open(compiled);
  const torment = random === undefined ? Promise.resolve() : bench.torment(random);
  try {
    const first = await bench.ask({ ask: 'apply', text, key: 'create' });
    const created = await bench.ended(first);
    bench.calm();
    await torment;
    const report = await bench.report();
    return {
      created: created.state,
      state: report.state,
      violations: report.violations,
      births: report.births.toSorted(),
      story: [...bench.story, created.problem ?? '', ...report.effects].join('\n'),
    };
  } finally {
    bench.calm();
    await torment;
    await bench.close();
  }
}

describe(`kill -9 of real processes at random times (REMUDA_SEED=${seed})`, () => {
  let undisturbed: Ending;

  beforeAll(async () => {
    undisturbed = await createUnder(undefined);
    console.info(`REMUDA_SEED=${seed}, ${runs} runs`);
  }, 300_000);

  it('knows the undisturbed end', () => {
    expect(undisturbed.created, undisturbed.story).toBe('succeeded');
    expect(undisturbed.violations).toEqual([]);
  });

  it.concurrent.each(Array.from({ length: runs }, (_, index) => index))(
    'run %i resumes unasked and ends as if nobody had died (complaint 3)',
    async (index) => {
      const ending = await createUnder(seededRandom(seed + index));
      expect(ending.violations, ending.story).toEqual([]);
      expect(ending.created, ending.story).toBe('succeeded');
      expect(ending.state, ending.story).toBe(undisturbed.state);
      expect(ending.births, ending.story).toEqual(undisturbed.births);
    },
    300_000,
  );
});
