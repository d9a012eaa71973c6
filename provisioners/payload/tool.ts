import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Blocked } from '../contract/problem.ts';

/** How to run a tool. Arguments go as an array: there is no shell. */
export interface ToolOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for every line the tool prints on standard error. */
  readonly onErrorLine?: (line: string) => void;
  /** Gets the command and all it printed on standard error, for reading after a failure. */
  readonly log?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a tool to its end and returns what it printed on standard output.
 * Throws Blocked with the command and its last lines when it fails or is not installed.
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  options.signal?.throwIfAborted();
  const spoken = [command, ...args].join(' ');
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: 'C', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const errorLines: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    errorLines.push(line);
    options.onErrorLine?.(line);
  });
  let code: unknown;
  try {
    [code] = await once(child, 'close');
  } catch (thrown) {
    options.signal?.throwIfAborted();
    throw new Blocked('PAYLOAD-003', `${command} could not be started: ${String(thrown)}`, {
      remedy: 'Install the packages that `hostPackages()` lists (scripts/up does it).',
      command: spoken,
    });
  }
  if (options.log !== undefined) await appendFile(options.log, [`$ ${spoken}`, ...errorLines, ''].join('\n'));
  if (code !== 0) {
    throw new Blocked('PAYLOAD-004', `${command} ${args[0] ?? ''} failed with status ${String(code)}.`, {
      remedy: `Read its last lines${options.log === undefined ? '' : ` (all of them: ${options.log})`}, then run the same again: what is done is kept.`,
      command: spoken,
      lastLines: [...errorLines, ...Buffer.concat(output).toString('utf8').split('\n')]
        .filter(Boolean)
        .slice(-15),
    });
  }
  return Buffer.concat(output).toString('utf8');
}
