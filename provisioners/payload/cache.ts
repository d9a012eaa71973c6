import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Blocked } from '../contract/problem.ts';

/** Where everything of this room lies; every path is absolute. */
export interface PayloadCache {
  /** Finished payloads, one folder each. */
  readonly payloads: string;
  /** Parts of a build that are worth keeping: unpacked sources, binaries, the Debian root. */
  readonly stages: string;
  /** Debian packages as downloaded. */
  readonly packages: string;
  /** Private state of apt; /etc/apt is never touched. */
  readonly apt: string;
  /** Go's own build cache. */
  readonly goBuild: string;
  /** Upstream parts, by digest, finished and half-way. */
  readonly downloads: string;
  /** When each payload was last found intact. */
  readonly verified: string;
  /** Which payloads machines are being equipped from; see uses.ts. */
  readonly uses: string;
  /** This machine's signing key (mode 0600). */
  readonly signingKey: string;
  /** How long each stage took here, for the next estimate. */
  readonly timings: string;
  /** What the build prints, kept for reading after a failure. */
  readonly log: string;
  /** Locked while a build or a fetch runs. */
  readonly lock: string;
}

/** The default of `REMUDA_CACHE`. */
const DEFAULT_CACHE = '/var/cache/remuda';

/**
 * The layout below the cache folder.
 * @param root what `REMUDA_CACHE` says; without it {@link DEFAULT_CACHE}
 */
export function payloadCache(root: string = process.env['REMUDA_CACHE'] ?? DEFAULT_CACHE): PayloadCache {
  const base = join(root, 'payload');
  return {
    payloads: join(base, 'payloads'),
    stages: join(base, 'stages'),
    packages: join(base, 'packages'),
    apt: join(base, 'apt'),
    goBuild: join(base, 'go-build'),
    downloads: join(base, 'downloads'),
    verified: join(base, 'verified'),
    uses: join(base, 'uses'),
    signingKey: join(base, 'keys', 'local-build.pem'),
    timings: join(base, 'timings.json'),
    log: join(base, 'build.log'),
    lock: join(base, 'build.lock'),
  };
}

/** Hashes parts into a key; the parts are length-prefixed by JSON, so that no two lists look alike. */
export function contentKey(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Hash of the given source files of this room: a changed recipe is a changed key. */
export async function recipeKey(...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(join(import.meta.dirname, file), 'utf8')));
  return contentKey(texts);
}

/** SHA-256 (hex) and size in bytes of a file, read as a stream. */
export async function hashFile(file: string): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), size };
}

/** Tells whether something exists at this path. */
export async function isPresent(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/**
 * Makes a folder whole or not at all: `fill` writes into a sibling that is renamed into place at the end. What an
 * interrupted run left beside it is removed first, so call it under the build lock.
 * @returns the finished folder; without running `fill` when it is there already
 */
export async function makeFolder(
  folder: string,
  fill: (temporary: string) => Promise<void>,
): Promise<string> {
  if (await isPresent(folder)) return folder;
  const parent = dirname(folder);
  const prefix = `.${folder.slice(parent.length + 1)}.tmp-`;
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
  const temporary = join(parent, `${prefix}${randomBytes(4).toString('hex')}`);
  await mkdir(temporary);
  await fill(temporary);
  await rename(temporary, folder);
  return folder;
}

/** Removes every folder that {@link makeFolder} did not finish; call it under the build lock. */
export async function removeHalfMade(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (/^[.].+[.]tmp-[0-9a-f]{8}$/.test(name))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

/** Writes a small file whole or not at all. */
export async function writeWhole(file: string, contents: string | Buffer, mode = 0o644): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, contents, { mode });
  await rename(temporary, file);
}

/**
 * Runs `work` while no other process of this machine builds or fetches. The lock is flock(2), held by a child that
 * ends when our end of its pipe closes: a killed builder never leaves a lock behind.
 * @param onWait called once when somebody else holds the lock
 */
export async function withBuildLock<Result>(
  file: string,
  work: () => Promise<Result>,
  onWait: () => void = () => {},
): Promise<Result> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--exclusive', file, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const failed = once(holder, 'error').then(([thrown]: unknown[]) => {
    throw new Blocked('PAYLOAD-002', `The build lock ${file} cannot be taken: ${String(thrown)}`, {
      remedy: 'Install the package util-linux, which brings flock.',
    });
  });
  failed.catch(() => {});
  const waiting = setTimeout(onWait, 500);
  try {
    holder.stdin.write('held\n');
    // cat answers only once flock has got the lock and started it.
    await Promise.race([once(holder.stdout, 'data'), failed]);
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
  }
}
