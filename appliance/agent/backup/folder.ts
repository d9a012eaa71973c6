import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Blocked, type Problem } from '../../../provisioners/contract/problem.ts';
import type { Destination, StoredFile } from './destination.ts';
import { partialOf, wholeOf } from './partial.ts';

/** What a folder destination is made of. */
export interface FolderOptions {
  /** Absolute; it must be there unless `isOurs`. */
  readonly path: string;
  /** Name of the cluster's folder in it. */
  readonly folder: string;
  /** The folder is the agent's own: it is made where it is missing. */
  readonly isOurs?: boolean;
  /** Refuse when nothing is mounted at the path. */
  readonly mustBeMounted?: boolean;
  readonly signal: AbortSignal;
}

/** A folder on this machine: of the state disk, or where a file server is mounted. */
export class FolderDestination implements Destination {
  readonly what: string;
  readonly #options: FolderOptions;
  readonly #folder: string;

  private constructor(options: FolderOptions) {
    this.#options = options;
    this.#folder = join(options.path, options.folder);
    this.what = `the folder ${options.path}`;
  }

  /** @throws Blocked BACKUP-001 when nothing is mounted there, BACKUP-002 when there is no such folder. */
  static async open(options: FolderOptions): Promise<FolderDestination> {
    const { path, isOurs = false, mustBeMounted = false } = options;
    if (isOurs) await mkdir(path, { recursive: true, mode: 0o700 });
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true)
      throw new Blocked('BACKUP-002', `There is no folder ${path} on the agent's machine.`, {
        remedy: 'Make the folder or mount the file server there; it goes on by itself.',
      });
    if (mustBeMounted && !(await isMountPoint(path)))
      throw new Blocked('BACKUP-001', `Nothing is mounted at ${path} on the agent's machine.`, {
        remedy: 'Mount the file server there; it goes on by itself.',
      });
    return new FolderDestination(options);
  }

  async files(): Promise<readonly StoredFile[]> {
    const found: StoredFile[] = [];
    for (const name of await this.#names()) {
      if (name.startsWith('.')) continue;
      const { size } = (await stat(join(this.#folder, name)).catch(() => undefined)) ?? {};
      if (size !== undefined) found.push({ name, bytes: size });
    }
    return found;
  }

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#orProblem(() => mkdir(this.#folder, { recursive: true, mode: 0o700 }));
    const partial = join(this.#folder, partialOf(name));
    try {
      // Never through a link that somebody else has put there.
      const handle = await this.#orProblem(() => open(partial, 'wx', 0o600));
      try {
        for await (const chunk of content) {
          this.#options.signal.throwIfAborted();
          await this.#orProblem(() => handle.writeFile(chunk));
        }
        await this.#orProblem(() => handle.sync());
      } finally {
        await handle.close();
      }
      await this.#orProblem(() => rename(partial, join(this.#folder, name)));
      await this.#settle();
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const stream = createReadStream(join(this.#folder, name), { signal: this.#options.signal });
    try {
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw this.#problem(error);
    }
  }

  async remove(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    await this.#orProblem(() => rm(join(this.#folder, name), { force: true }));
    await this.#settle();
  }

  async sweep(isStale: (name: string) => boolean): Promise<void> {
    for (const partial of await this.#names()) {
      const whole = wholeOf(partial);
      if (whole !== undefined && isStale(whole))
        await this.#orProblem(() => rm(join(this.#folder, partial), { force: true }));
    }
  }

  async close(): Promise<void> {
    // Nothing is held between two calls.
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw this.#problem(error);
    }
  }

  /** Names are durable when the folder is; some file servers know no such thing and say EINVAL. */
  async #settle(): Promise<void> {
    const handle = await this.#orProblem(() => open(this.#folder, 'r'));
    try {
      await this.#orProblem(() => handle.sync().catch(unlessUnknown));
    } finally {
      await handle.close();
    }
  }

  async #orProblem<Value>(act: () => Promise<Value>): Promise<Value> {
    try {
      return await act();
    } catch (error) {
      throw this.#problem(error);
    }
  }

  #problem(error: unknown): Problem {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      return new Blocked('BACKUP-003', `There is no room left in ${this.what}.`, {
        remedy: 'Make room, or let fewer backups be kept; it goes on by itself.',
      });
    return new Blocked('BACKUP-004', `The agent cannot work in ${this.what} (${code}).`, {
      remedy: 'See that the agent may read and write there, and that the disk is well; it goes on by itself.',
    });
  }
}

function unlessUnknown(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
}

/** Whether something is mounted at the path; also where it is of the same file system as its parent (proc(5), mountinfo). */
async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const wanted = path.replace(/(?<=.)\/+$/, '');
  return mounts.split('\n').some((line) => unescape(line.split(' ')[4] ?? '') === wanted);
}

/** Spaces and the like stand as three octal digits in mountinfo. */
const unescape = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
