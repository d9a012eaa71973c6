import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, Transient, UserProblem } from '../contract/problem.ts';
import type { Duration } from '../contract/time.ts';
import { isPresent } from './cache.ts';
import { type Answer, ask, type Transport } from './transport.ts';

/** How often and how patiently a part is asked for. */
export interface Patience {
  /** Attempts in all. */
  readonly attempts: number;
  /** Before the second attempt; doubled each time, jittered by half. */
  readonly firstPause: Duration;
  /** No pause is longer, whatever the source asks for. */
  readonly longestPause: Duration;
}

/** About five minutes in all before a source is called unreachable. */
export const USUAL_PATIENCE: Patience = { attempts: 8, firstPause: 1000, longestPause: 120_000 };

/** A part known by its digest before anything is asked for. */
export interface Wanted {
  readonly url: string;
  /** Hex. */
  readonly sha256: string;
  /** Sent with every request for this part; asked anew each time. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Called with the WWW-Authenticate header of a 401; the request is then made once more. */
  readonly onChallenge?: (challenge: string) => Promise<void>;
  /** The largest size accepted, in bytes: a wrong source cannot fill the disk. */
  readonly limit: number;
}

/** No file of a release comes near: kubelet and containerd stay below 150 MB. */
export const PART_LIMIT = 2 * 1024 ** 3;

/**
 * Brings a part into the downloads folder under its digest, or finds it there. Verified while it streams; an
 * interrupted download goes on where it stopped, in this process or a later one. Call it under the build lock.
 * Throws UserProblem when what the source serves is not what was reviewed.
 */
export async function download(
  transport: Transport,
  wanted: Wanted,
  folder: string,
  patience: Patience = USUAL_PATIENCE,
): Promise<string> {
  const finished = join(folder, `sha256-${wanted.sha256}`);
  if (await isPresent(finished)) {
    // What lay in a cache for months is read again before it is believed.
    if ((await hashOf(finished)).digest('hex') === wanted.sha256) return finished;
    await rm(finished);
  }
  await mkdir(folder, { recursive: true });
  const partial = `${finished}.part`;
  await retry(patience, transport.signal, () => attempt(transport, wanted, partial));
  await rename(partial, finished);
  return finished;
}

/** Repeats work that fails with Transient. Any other failure, and the last one, is thrown. */
export async function retry<Result>(
  patience: Patience,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(thrown instanceof Transient) || tried >= patience.attempts) throw thrown;
      const asked = thrown instanceof Throttled ? thrown.pause : 0;
      const backoff = patience.firstPause * 2 ** (tried - 1) * (0.5 + Math.random());
      await sleep(
        Math.min(Math.max(backoff, asked), patience.longestPause),
        undefined,
        signal ? { signal } : {},
      );
    }
  }
}

/** The source asked us to come back later. */
class Throttled extends Transient {
  readonly pause: Duration;

  constructor(host: string, status: number, retryAfter: string | undefined) {
    super('PAYLOAD-036', `${host} answered ${status}.`);
    const asked = Number(retryAfter);
    this.pause = Number.isFinite(asked) ? asked * 1000 : 0;
  }
}

/** Turns an unwelcome status into the problem it is; consumes nothing of a welcome answer. */
export function assertWelcome(answer: Answer, welcome: readonly number[]): void {
  const { status, url, headers } = answer;
  if (welcome.includes(status)) return;
  answer.body.destroy();
  if (status === 429 || status >= 500) throw new Throttled(url.host, status, headers['retry-after']);
  throw new UserProblem('PAYLOAD-037', `${url.host} answered ${status} for ${url.pathname}.`, {
    value: `${url.host}${url.pathname}`,
    remedy: 'Check that this source carries that release, and its base URL.',
  });
}

async function attempt(transport: Transport, wanted: Wanted, partial: string): Promise<void> {
  const hash = (await isPresent(partial)) ? await hashOf(partial) : createHash('sha256');
  const file = await open(partial, 'a');
  try {
    let have = (await file.stat()).size;
    let running: Hash = hash;
    const answer = await askFor(transport, wanted, have > 0 ? { range: `bytes=${have}-` } : {});
    const isResumed =
      answer.status === 206 && (answer.headers['content-range'] ?? '').startsWith(`bytes ${have}-`);
    // 416: the part file is as long as the whole, or longer than what is served; the digest decides which.
    assertWelcome(answer, have > 0 ? [200, 206, 416] : [200]);
    if (answer.status === 416) answer.body.destroy();
    else {
      if (!isResumed) {
        await file.truncate(0);
        have = 0;
        running = createHash('sha256');
      }
      for await (const chunk of bytesOf(answer, wanted)) {
        running.update(chunk);
        have += chunk.length;
        if (have > wanted.limit) throw await unlike(partial, answer, `is larger than ${wanted.limit} bytes`);
        await file.appendFile(chunk);
      }
    }
    await file.sync();
    if (running.digest('hex') === wanted.sha256) return;
    // A resumed part may have been spoilt before; only a download from the first byte convicts the source.
    const spoilt = new Transient(
      'PAYLOAD-038',
      `What was resumed from ${answer.url.host} does not fit; starting over.`,
    );
    const problem = await unlike(partial, answer, 'is not what was reviewed: its SHA-256 differs');
    throw isResumed || answer.status === 416 ? spoilt : problem;
  } finally {
    await file.close();
  }
}

async function askFor(
  transport: Transport,
  wanted: Wanted,
  range: Readonly<Record<string, string>>,
): Promise<Answer> {
  const answer = await ask(transport, wanted.url, { ...wanted.headers?.(), ...range });
  if (answer.status !== 401 || wanted.onChallenge === undefined) return answer;
  answer.body.destroy();
  await wanted.onChallenge(answer.headers['www-authenticate'] ?? '');
  return ask(transport, wanted.url, { ...wanted.headers?.(), ...range });
}

async function* bytesOf(answer: Answer, wanted: Wanted): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer.body) yield chunk as Buffer;
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Transient('PAYLOAD-039', `The download of ${new URL(wanted.url).pathname} broke off: ${why}`);
  }
}

async function unlike(partial: string, answer: Answer, what: string): Promise<UserProblem> {
  await rm(partial, { force: true });
  return new UserProblem('PAYLOAD-043', `What ${answer.url.host} serves as ${answer.url.pathname} ${what}.`, {
    value: `${answer.url.host}${answer.url.pathname}`,
    remedy: 'Do not use this source: it is damaged or not honest. It was deleted here; take another mirror.',
  });
}

async function hashOf(file: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash;
}
