/**
 * The real daemon on an empty state: time from the start of the process to "ready" after clean stops (the median of
 * five, after a first start that makes the site's CA and the compile cache), and resident memory ten seconds later.
 * DESIGN §9: ready < 2 s and idle < 150 MB with 200 clusters in state, which `scripts/bench clusters` measures. Prints.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DaemonProcess, startDaemonProcess } from '../integration/api/daemon-process.ts';
import { quantile, row, say } from './table.ts';

const starts = 5;
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-daemon-'));

/** Starts the daemon and resolves when it says that it is ready. */
async function start(): Promise<{ readonly daemon: DaemonProcess; readonly seconds: number }> {
  const began = performance.now();
  const daemon = await startDaemonProcess(folder);
  return { daemon, seconds: (performance.now() - began) / 1000 };
}

try {
  say(`starting the daemon ${starts + 2} times`);
  const first = await start();
  await first.daemon.end('SIGTERM');
  const times: number[] = [];
  for (let run = 0; run < starts; run += 1) {
    const { daemon, seconds } = await start();
    times.push(seconds);
    await daemon.end('SIGTERM');
  }
  const [median, longest] = [0.5, 1].map((share) => quantile(times, share).toFixed(2));
  row(
    'daemon ready, empty state, after a clean stop',
    `${median} s in the median of ${starts}, longest ${longest} s (first start ${first.seconds.toFixed(2)} s)`,
    '< 2 s',
  );
  const { daemon } = await start();
  say('waiting 10 s for it to be idle');
  await sleep(10_000);
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
  await daemon.end('SIGTERM');
  row('memory of the idle daemon, empty state', `${Math.round(Number(memory) / 1024)} MB`, '< 150 MB');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
