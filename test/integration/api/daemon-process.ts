import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..', '..');

/** The real daemon as a process of its own. */
export interface DaemonProcess {
  readonly url: string;
  readonly linkPort: number;
  readonly pid: number;
  /** Whole token of the administrator. */
  readonly admin: string;
  readonly authority: string;
  /** What it printed until now. */
  output(): string;
  /** Ends it by a signal and answers its exit code, null after a kill. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the daemon on a state folder and waits until it says that it is ready. */
export async function startDaemonProcess(
  folder: string,
  { port = 0, linkPort = 0 }: { readonly port?: number; readonly linkPort?: number } = {},
): Promise<DaemonProcess> {
  const child = spawnDaemon([
    '--state',
    folder,
    '--listen',
    `127.0.0.1:${port}`,
    '--link-listen',
    `127.0.0.1:${linkPort}`,
    '--allow-root',
  ]);
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const ready = await new Promise<{ readonly port: number; readonly linkPort: number }>((done, reject) => {
    child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${output}`)));
    child.stdout?.on('data', () => {
      const line = output.split('\n').find((candidate) => candidate.includes('"msg":"ready"'));
      if (line !== undefined) done(JSON.parse(line) as { readonly port: number; readonly linkPort: number });
    });
  });
  const tokenFile = join(folder, 'admin-token');
  return {
    url: `https://127.0.0.1:${ready.port}`,
    linkPort: ready.linkPort,
    pid: child.pid ?? 0,
    admin: existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : '',
    authority: readFileSync(join(folder, 'authority', 'ca.crt'), 'utf8'),
    output: () => output,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

/** Runs the daemon to its end: for starts that are refused. */
export async function runDaemon(
  words: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnDaemon(words);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output };
}

function spawnDaemon(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'daemon/main.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
