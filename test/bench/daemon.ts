/** Start and idle memory of the real daemon (DESIGN §9: ready < 2 s with 200 clusters in state, < 150 MB). Prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-daemon-'));

/** Starts the daemon and resolves when it says that it is ready: seconds. */
async function start(): Promise<{ readonly child: ChildProcess; readonly seconds: number }> {
  const began = performance.now();
  const words = [
    join(root, 'daemon/main.ts'),
    '--state',
    folder,
    '--listen',
    '127.0.0.1:0',
    '--link-listen',
    '127.0.0.1:0',
    '--allow-root',
  ];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((ready, reject) => {
    child.stdout?.on('data', (part: Buffer) => {
      if (part.toString().includes('"msg":"ready"')) ready();
    });
    child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)));
  });
  return { child, seconds: (performance.now() - began) / 1000 };
}

async function end(child: ChildProcess): Promise<void> {
  child.removeAllListeners('exit');
  await new Promise<void>((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

try {
  const first = await start();
  await end(first.child);
  const times: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const { child, seconds } = await start();
    times.push(seconds);
    await end(child);
  }
  const idle = await start();
  await sleep(10_000);
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${idle.child.pid}/status`, 'utf8'))?.[1];
  await end(idle.child);
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `first start ${first.seconds.toFixed(2)} s; later starts median ${sorted[2]?.toFixed(2)} s (${sorted[0]?.toFixed(2)} to ${sorted[4]?.toFixed(2)})`,
  );
  console.log(`idle memory after 10 s: ${Math.round(Number(memory) / 1024)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
