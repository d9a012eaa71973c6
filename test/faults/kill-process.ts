import { fork, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { KillRun } from './scaled-clock.ts';

/** How much of what a process said last is kept for the story. */
const keptErrors = 2000;

/** A process of a kill run with its IPC channel. It ends by our signal; any other end is told to `onOwnEnd`. */
export class KillProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #errors = '';
  #isKilled = false;

  constructor(file: string, run: KillRun, onOwnEnd: (story: string) => void) {
    this.#name = file;
    this.#child = fork(join(import.meta.dirname, file), {
      env: { ...process.env, NODE_COMPILE_CACHE: run.compiled, REMUDA_KILL_RUN: JSON.stringify(run) },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (part: Buffer) => {
      this.#errors = (this.#errors + part.toString()).slice(-keptErrors);
    });
    // `close`, not `exit`: by then everything it said is here.
    this.#gone = new Promise((resolve) => {
      this.#child.once('close', () => {
        resolve();
        if (!this.#isKilled) onOwnEnd(this.story());
      });
    });
  }

  /** Sends a message; one to a process that is gone is lost. */
  send(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** The next message; undefined when the process ended first. */
  heard<T>(): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const onMessage = (message: unknown): void => resolve(message as T);
    this.#child.once('message', onMessage);
    void this.#gone.then(() => resolve(undefined));
    return promise.finally(() => this.#child.off('message', onMessage));
  }

  /** Ends it with SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** How it ended and what it said last. */
  story(): string {
    return `${this.#name} ended by itself (${this.#child.exitCode ?? this.#child.signalCode}): ${this.#errors}`;
  }
}

const given = new Set<number>();

/**
 * A port that nobody listens on, below those that the kernel gives to outgoing connections: one of those may be taken by
 * any connection of this machine in the moment between a daemon's death and its next start.
 */
export async function portToKeep(): Promise<number> {
  const [lowest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
  for (;;) {
    const port = randomInt(10_000, Math.max(10_001, lowest ?? 0));
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
