import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';

/** Length of the SHA-256 that etcd puts at the end of a snapshot (etcd: etcdutl/snapshot/v3_snapshot.go). */
const digestLength = 32;

/** bbolt writes pages, so that all but the digest is a multiple of this (etcdutl asks the same before it restores). */
const sector = 512;

/** Magic number of a bbolt file (bbolt: common/types.go), and where it stands: after the header of the first page. */
const magic = 0xed_0c_da_ed;
const magicAt = 16;

/** Longest line of the gateway's answer, bytes. etcd sends 32 KiB at a time, half as much again in base64. */
const longestLine = 4 * 1024 * 1024;

const rangeAnswer = z.object({ header: z.object({ revision: z.string().default('0') }) });
const statusAnswer = z.object({ version: z.string() });
/** One line of the stream; members that are zero or empty are left out. */
const line = z.union([
  z.object({
    result: z.object({ blob: z.string().default(''), remaining_bytes: z.string().default('0') }),
  }),
  z.object({ error: z.unknown() }),
]);

/** One etcd member as the snapshot needs it. */
export interface SnapshotSource {
  readonly member: string;
  call(path: string, body: object): Promise<unknown>;
  stream(path: string, body: object): AsyncIterable<Buffer>;
}

/**
 * Begins a snapshot at a member. The linearizable read before it waits until the member has applied everything that
 * was acknowledged by whomever: its revision is in the snapshot for certain (etcd: API guarantees).
 * @throws Transient ETCD-101, ETCD-105, TLS-001
 */
export async function beginSnapshot(source: SnapshotSource): Promise<EtcdSnapshot> {
  // A key that nobody has: only the header of the answer counts.
  const read = await source.call('/v3/kv/range', { key: encode('remuda/snapshot'), count_only: true });
  const status = await source.call('/v3/maintenance/status', {});
  const blobs = blobsOf(source)[Symbol.asyncIterator]();
  const first = await blobs.next();
  if (first.done === true) throw unusable(source.member, 'it was empty');
  const bytes = first.value.blob.length + first.value.remaining + digestLength;
  return {
    member: source.member,
    etcdVersion: statusAnswer.parse(status).version,
    revision: Number(rangeAnswer.parse(read).header.revision),
    bytes,
    data: verified(contentOf(first.value.blob, blobs), bytes, source.member),
  };
}

/**
 * Passes a snapshot on and compares it with its own digest, its size and what every bbolt file begins with.
 * @throws Transient ETCD-105 at the end when it is not whole; what was passed on before is worth nothing then.
 */
export async function* verified(
  content: AsyncIterable<Uint8Array>,
  bytes: number,
  member: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  let head = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > bytes) throw unusable(member, `it is longer than the ${bytes} bytes that it began with`);
    if (head.length < magicAt + 4) head = Buffer.concat([head, chunk.subarray(0, magicAt + 4)]);
    const known = Buffer.concat([tail, chunk]);
    const body = known.subarray(0, Math.max(0, known.length - digestLength));
    hash.update(body);
    tail = Buffer.from(known.subarray(body.length));
    yield chunk;
  }
  if (size !== bytes) throw unusable(member, `it ended after ${size} of ${bytes} bytes`);
  if (size % sector !== digestLength) throw unusable(member, 'it bears no checksum');
  if (!hash.digest().equals(tail)) throw unusable(member, 'its checksum is another');
  if (head.readUInt32LE(magicAt) !== magic) throw unusable(member, 'it is no database of etcd');
}

async function* contentOf(
  first: Buffer,
  rest: AsyncIterator<{ readonly blob: Buffer }, void>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value.blob;
  } finally {
    await rest.return?.();
  }
}

/** The gateway streams one JSON object a line. */
async function* blobsOf(
  source: SnapshotSource,
): AsyncGenerator<{ readonly blob: Buffer; readonly remaining: number }, void, undefined> {
  for await (const text of linesOf(source)) {
    const parsed = line.safeParse(parseJson(text));
    if (!parsed.success) throw unusable(source.member, 'the gateway answered with something else');
    if ('error' in parsed.data) throw unusable(source.member, 'the member broke off');
    const { blob, remaining_bytes: remaining } = parsed.data.result;
    yield { blob: Buffer.from(blob, 'base64'), remaining: Number(remaining) };
  }
}

async function* linesOf(source: SnapshotSource): AsyncGenerator<string, void, undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.stream('/v3/maintenance/snapshot', {})) {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, end)]).toString('utf8');
      pieces = [];
      length = 0;
      from = end + 1;
    }
    pieces.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longestLine) throw unusable(source.member, 'the gateway answered with something else');
  }
  const rest = Buffer.concat(pieces).toString('utf8');
  if (rest.trim() !== '') yield rest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const encode = (key: string): string => Buffer.from(key).toString('base64');

function unusable(member: string, why: string): Transient {
  return new Transient('ETCD-105', `The snapshot of etcd on ${member} is of no use: ${why}.`, {
    machine: member,
    remedy: 'Nothing was kept of it; it is taken again. If that goes on, look at the disk of the machine.',
  });
}
