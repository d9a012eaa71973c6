import { type ChildProcess, spawn } from 'node:child_process';
import { until } from './wait.ts';

/** How a command ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs; what it prints can be read while it does. */
export class RunningCommand {
  readonly title: string;
  readonly ended: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #isOver = false;

  constructor(program: string, words: readonly string[], environment: NodeJS.ProcessEnv) {
    this.title = [program.split('/').at(-1), ...words].join(' ');
    this.#child = spawn(program, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#isOver = true;
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Everything it has printed by now. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get isRunning(): boolean {
    return !this.#isOver;
  }

  /** Waits until it has printed something. @throws Error when it ends or the limit is over before. */
  async says(pattern: RegExp, limit = 240_000): Promise<RegExpExecArray> {
    const seen = (): string => `it printed:\n${this.output.split('\n').slice(-25).join('\n')}`;
    return until(
      `"${pattern.source}" of "${this.title}"`,
      () => {
        const match = pattern.exec(this.output);
        if (match === null && this.#isOver) throw new Error(`"${this.title}" ended before; ${seen()}`);
        return match ?? undefined;
      },
      { limit, seen },
    );
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
