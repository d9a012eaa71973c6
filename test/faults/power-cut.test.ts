import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeSite, makeFolder } from '../unit/operations/fake-site.ts';
import { cutFile, type Marker } from './power-cut-case.ts';
import { type Choice, cut, type DiskAct, readTrace, seededChoice } from './power-cut-disk.ts';

const seed = Number(process.env['REMUDA_SEED'] ?? Math.floor(Date.now() % 1_000_000));
/** Cuts tried a run; every one of them when it is `all`. */
const cuts = process.env['REMUDA_CUTS'] ?? '120';

let home: string;
let acts: DiskAct[];

/** Not having strace fails these tests rather than skipping them: apt-get install strace. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'remuda-operations-cut-'));
  const [folder, markers, trace] = [join(home, 'site'), join(home, 'markers'), join(home, 'trace')];
  const calls =
    '%file,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,msync';
  const script = join(import.meta.dirname, 'power-cut-process.ts');
  const traced = [
    '-f',
    '-y',
    '-xx',
    '-s',
    '4000000',
    '-e',
    `trace=${calls}`,
    '-o',
    trace,
    process.execPath,
    script,
    folder,
    markers,
  ];
  await promisify(execFile)('strace', traced, { timeout: 110_000 });
  acts = readTrace(readFileSync(trace, 'latin1'), folder, markers);
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

const markersBefore = (count: number): readonly Marker[] =>
  acts.slice(0, count).flatMap((act) => (act.type === 'marker' ? [act.marker] : []));

/** Starts a daemon on what the cut left, with the agent as it was at that moment, and goes on to the end. */
async function resumeAfter(count: number, choice: Choice): Promise<void> {
  const folder = makeFolder();
  cut(acts, count, choice, folder);
  const known = markersBefore(count);
  const site = new FakeSite({ reserveBytes: 16_384 }, folder);
  site.lastId = 1000;
  const memory = known.findLast((marker) => marker.type === 'agent')?.memory;
  if (memory !== undefined) site.agent.recall(memory);
  try {
    await site.start();
    expect(site.state.database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(site.state.database.pragma('foreign_key_check')).toEqual([]);
    const operations = site.engine.listOperations();
    for (const marker of known) {
      // What the user was told is not unsaid.
      if (marker.type === 'answered') expect(operations.map(({ id }) => id)).toContain(marker.operation);
      if (marker.type === 'ended') expect(site.engine.getOperation(marker.operation).state).toBe('succeeded');
    }
    // What was sent was written down before.
    for (const [, dispatch] of memory?.running ?? [])
      expect(site.state.attempts.get(dispatch.key)).toBeDefined();
    const id = operations[0]?.id ?? (await site.apply(cutFile)).operations[0]?.id;
    expect((await site.end(id as string)).state).toBe('succeeded');
    expect([...site.agent.made.keys()].toSorted()).toEqual(
      cutFile.things.map((thing) => thing.id).toSorted(),
    );
    expect(site.agent.effects.length).toBe(cutFile.things.length);
    expect(site.agent.breaches).toEqual([]);
    // One line of each attempt, none lost or repeated. A step has a second attempt when the new plan asks it another way.
    const log = await site.engine.logLines(id as string, 0);
    const attempts = site.state.attempts.list(id as string);
    expect(log.lines.map(({ text }) => text).toSorted()).toEqual(
      attempts.map(({ key }) => `working on ${key.step.split('/')[1]}`).toSorted(),
    );
    await site.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('the trace tells of journal, logs and syncs (else the cuts below would prove nothing)', () => {
  const count = (type: DiskAct['type'], end: string): number =>
    acts.filter((act) => act.type === type && 'path' in act && act.path.endsWith(end)).length;
  expect(count('write', 'state.db-wal')).toBeGreaterThan(50);
  expect(count('sync', 'state.db-wal')).toBeGreaterThan(10);
  expect(count('write', '.ndjson')).toBeGreaterThan(2);
  expect(count('sync', '.ndjson')).toBeGreaterThan(2);
  expect(markersBefore(acts.length).map(({ type }) => type)).toContain('ended');
});

test(`after a power cut at any point, unsynced writes dropped or torn, the state opens and the work ends the same (seed ${seed})`, async () => {
  const choice = seededChoice(seed);
  const points =
    cuts === 'all'
      ? acts.map((_act, index) => index + 1)
      : Array.from({ length: Number(cuts) }, () => 1 + Math.floor(choice() * acts.length));
  for (const point of points)
    await resumeAfter(point, choice).catch((error: unknown) => {
      throw new Error(`cut after act ${point} of ${acts.length}, seed ${seed}`, { cause: error });
    });
});

test('the model bites: with the syncs of the journal left out, some cut loses what was promised', async () => {
  const honest = acts;
  acts = honest.filter((act) => act.type !== 'sync');
  let losses = 0;
  try {
    for (let attempt = 0; attempt < 20; attempt += 1)
      await resumeAfter(acts.length, seededChoice(attempt)).catch(() => {
        losses += 1;
      });
  } finally {
    acts = honest;
  }
  expect(losses).toBeGreaterThan(0);
});
