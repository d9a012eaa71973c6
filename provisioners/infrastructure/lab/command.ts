import { execFile } from 'node:child_process';
import { Transient } from '../../contract/problem.ts';

/** How a command is run. */
export interface CommandOptions {
  readonly signal?: AbortSignal;
  /** Longest time in milliseconds; then it is killed. Default 60 s: nothing here takes a tenth of that. */
  readonly timeout?: number;
}

/** What the tools of the box need; nothing of the agent's own environment reaches them. */
export const toolEnvironment: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
};

/**
 * Runs a program of the box with an argument array (no shell) and returns what it printed.
 * @throws Transient with the command and its last lines when it ends with another status than 0.
 */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { signal, timeout = 60_000 } = options;
    const settings = {
      env: toolEnvironment,
      cwd: '/',
      timeout,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 16 << 20,
      ...(signal ? { signal } : {}),
    };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal?.aborted) return reject(signal.reason);
      const lastLines = stderr.trim().split('\n').slice(-5);
      reject(
        new Transient('LAB-001', `${program} failed on the box: ${lastLines.join('; ') || error.message}`, {
          command: [program, ...args].join(' '),
          lastLines,
        }),
      );
    });
  });
}

/** Whether a program ends with status 0. */
export const succeeds = (program: string, args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );

/** What {@link waitUntil} gives up with. */
class WaitedTooLong extends Error {}

/**
 * Looks every `every` ms until `condition` holds.
 * @throws WaitedTooLong after `limit` ms, the signal's reason when aborted.
 */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean> | boolean,
  { limit, every = 20, signal }: { limit: number; every?: number; signal?: AbortSignal },
): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    signal?.throwIfAborted();
    if (performance.now() > end) throw new WaitedTooLong(`${what} did not happen within ${limit / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
