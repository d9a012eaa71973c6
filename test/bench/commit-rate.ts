/**
 * The journal on the disk under the temporary folder (TMPDIR chooses another): durable commits a second by one writer
 * and by many, whose commits share an fsync. For comparison the fsyncs a second that the same disk makes of four
 * kilobytes by itself. Prints; asserts nothing.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { State } from '../../daemon/state/state.ts';
import { quantile, row, say } from './table.ts';

const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-commit-'));
const state = new State({ folder });
const event = {
  at: new Date().toISOString(),
  type: 'bench',
  data: { some: 'text of an ordinary length', n: 1 },
};

async function rate(writers: number, total: number): Promise<{ perSecond: number; p99: number }> {
  const latencies: number[] = [];
  const started = performance.now();
  const work = Array.from({ length: writers }, async () => {
    for (let done = 0; done < total / writers; done += 1) {
      const from = performance.now();
      await state.journal.write(() => state.events.append(event));
      latencies.push(performance.now() - from);
    }
  });
  await Promise.all(work);
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: latencies.length / seconds, p99: quantile(latencies, 0.99) };
}

/** What the disk itself can: fsyncs a second of a file that grows by a page. */
function syncsPerSecond(): number {
  const count = 300;
  const file = openSync(join(folder, 'syncs'), 'w');
  const page = Buffer.alloc(4096);
  const from = performance.now();
  for (let done = 0; done < count; done += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  closeSync(file);
  return (count / (performance.now() - from)) * 1000;
}

try {
  const syncs = Math.round(syncsPerSecond());
  for (const [writers, total] of [
    [1, 300],
    [10, 2000],
    [100, 20_000],
    [1000, 100_000],
  ] as const) {
    say(`${total} commits by ${writers} writers`);
    const { perSecond, p99 } = await rate(writers, total);
    row(
      `journal, ${writers} writer${writers === 1 ? '' : 's at once'}`,
      `${Math.round(perSecond)} commits a second, p99 ${p99.toFixed(1)} ms (the disk alone: ${syncs} fsyncs a second)`,
    );
  }
} finally {
  state.close();
  rmSync(folder, { recursive: true, force: true });
}
