import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toolEnvironment } from './command.ts';

/**
 * Holds flock(2) for as long as its standard input is open, so that the kernel releases the lock whatever becomes of
 * us. Says `gone` when the file or its folder was removed meanwhile (the lab went away): then the lock guards nothing.
 */
const holder =
  'command exec 9>>"$1" || { echo gone; exit; }; flock 9; [ "$1" -ef /proc/self/fd/9 ] && echo locked || echo gone; exec cat';

function hold(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ held: boolean; release: () => void }> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', holder, 'remuda-lock', path], {
      env: toolEnvironment,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const release = (): void => {
      child.stdin.end();
    };
    const abort = (): void => {
      child.kill();
      reject(signal?.reason);
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`could not lock ${path}`)));
    child.stdout.once('data', (said: Buffer) => {
      signal?.removeEventListener('abort', abort);
      resolve({ held: said.toString().startsWith('locked'), release });
    });
  });
}

/** Runs `work` while holding the lock; other processes and other calls of this one wait. The file stays. */
export async function withLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    await mkdir(dirname(path), { recursive: true });
    const { held, release } = await hold(path, signal);
    try {
      if (held) return await work();
    } finally {
      release();
    }
  }
}
