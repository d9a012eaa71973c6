import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const preload = join(import.meta.dirname, 'kill-at.ts');

/** How long a start may take on a busy box, milliseconds. */
const patience = 60_000;

/** A real program of ours: its main file and words, and the line of its log that says it is at work. */
export interface Program {
  readonly file: string;
  readonly words: readonly string[];
  readonly ready: string;
}

/** One life of a program. */
export class Life {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #output = '';
  #onOutput: () => void = () => undefined;

  private constructor({ file, words }: Program, environment: Readonly<Record<string, string>>) {
    const watch = Object.keys(environment).length === 0 ? [] : ['--import', preload];
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...watch, join(root, file), ...words],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'] ?? '', ...environment },
      },
    );
    const take = (part: Buffer): void => {
      this.#output += part.toString();
      this.#onOutput();
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
    this.#closed = new Promise((done) => this.#child.once('close', () => done()));
  }

  /**
   * Starts the program and waits until it is ready.
   * @throws Error with what it said, when it ended or was not ready in a minute.
   */
  static async begin(program: Program): Promise<Life> {
    const life = new Life(program, {});
    if ((await life.#readyOrOver(program.ready)) === 'ready') return life;
    await life.kill();
    throw new Error(`${program.file} did not start (${life.#end()}):\n${life.#output.slice(-3000)}`);
  }

  /** Starts the program to be killed at a boundary of its start; when it has none of that number, once it is ready. */
  static async endAt(program: Program, boundary: number): Promise<void> {
    const life = new Life(program, { REMUDA_KILL_AT: `${boundary}` });
    const how = await life.#readyOrOver(program.ready);
    await life.kill();
    if (how === 'slow' || life.#end() !== 'SIGKILL')
      throw new Error(
        `${program.file} was to be killed (${how}, ${life.#end()}):\n${life.#output.slice(-3000)}`,
      );
  }

  /** The boundaries that a start crosses, by name and in order. */
  static async trace(program: Program, file: string): Promise<readonly string[]> {
    const life = new Life(program, { REMUDA_KILL_TRACE: file });
    const how = await life.#readyOrOver(program.ready);
    await life.kill();
    if (how !== 'ready') throw new Error(`${program.file} did not start:\n${life.#output.slice(-3000)}`);
    const names = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    rmSync(file, { force: true });
    return names;
  }

  /** The JSON of the first line of its log that holds the words. */
  said<T>(words: string): T {
    return JSON.parse(this.#output.split('\n').find((line) => line.includes(words)) ?? 'null') as T;
  }

  /** Ends it with SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #end(): string {
    return `${this.#child.signalCode ?? this.#child.exitCode}`;
  }

  async #readyOrOver(line: string): Promise<'ready' | 'over' | 'slow'> {
    const { promise, resolve: settle } = Promise.withResolvers<'ready' | 'over' | 'slow'>();
    const timer = setTimeout(() => settle('slow'), patience);
    this.#onOutput = () => this.#output.includes(line) && settle('ready');
    this.#onOutput();
    void this.#closed.then(() => settle('over'));
    return promise.finally(() => clearTimeout(timer));
  }
}
