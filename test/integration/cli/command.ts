import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FakeSite } from '../api/fake-site.ts';

const launcher = resolve(import.meta.dirname, '..', '..', '..', 'remuda');

/** What a command did. */
export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The real `remuda` command, with a home of its own. */
export class CommandLine implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'remuda-cli-'));
  readonly #site: FakeSite | undefined;

  constructor(site?: FakeSite) {
    this.#site = site;
  }

  /** Runs to the end. `during` is called with what was printed so far, at each piece of output. */
  run(
    words: readonly string[],
    options: {
      readonly input?: string;
      readonly environment?: Readonly<Record<string, string>>;
      readonly during?: (output: string, interrupt: () => void) => void;
    } = {},
  ): Promise<CommandResult> {
    const child = spawn(launcher, words, {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.home,
        TZ: 'UTC',
        ...(this.#site ? { REMUDA_SERVER: this.#site.url, REMUDA_TOKEN: this.#site.admin } : {}),
        ...options.environment,
      },
    });
    let out = '';
    let err = '';
    const tell = (): void => options.during?.(out + err, () => child.kill('SIGINT'));
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      tell();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString('utf8');
      tell();
    });
    child.stdin.on('error', () => undefined); // a command that reads nothing closes its input early
    child.stdin.end(options.input ?? '');
    return new Promise((done) => {
      child.once('close', (code) => done({ code, out, err }));
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
