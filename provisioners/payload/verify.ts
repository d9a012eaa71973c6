import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserProblem } from '../contract/problem.ts';
import {
  MANIFEST_FILE,
  MANIFEST_LIMIT,
  type PayloadManifest,
  parseManifest,
  SIGNATURE_FILE,
} from './manifest.ts';
import { checkSignature, type TrustedKey } from './signature.ts';

/** What to believe and what to refuse. */
export interface VerifyOptions {
  readonly folder: string;
  readonly trusted: readonly TrustedKey[];
  /** The highest sequence accepted before under a payload's name (0: none); a lower one is a roll-back. */
  readonly acceptedSequence: (name: string) => number | Promise<number>;
  /** Called as bytes are read; both numbers are bytes. */
  readonly step?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A payload that is exactly what its signer signed. */
export interface VerifiedPayload {
  readonly manifest: PayloadManifest;
  readonly signer: TrustedKey;
  /** SHA-256 (hex) of the manifest's bytes: the one name of these exact contents. */
  readonly digest: string;
}

/** What verification found: the payload, or every problem (never only the first). */
export type Verification =
  | { readonly isIntact: true; readonly payload: VerifiedPayload }
  | { readonly isIntact: false; readonly problems: readonly string[] };

/** One part as the manifest promises it. */
interface Part {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Every file the manifest promises, whatever it is for. */
export function partsOf(manifest: PayloadManifest): readonly Part[] {
  const images = manifest.images.map((image) => ({
    path: image.archive,
    size: image.size,
    sha256: image.sha256,
  }));
  return [...manifest.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })), ...images];
}

/**
 * Checks a payload: the signature first (nothing of an unsigned manifest is even parsed), then roll-back, then that
 * the folder holds the promised files, all of them, nothing else, no links, each of the promised size and SHA-256.
 */
export async function verifyPayload(options: VerifyOptions): Promise<Verification> {
  const signed = await readSigned(options.folder, options.trusted);
  if ('problems' in signed) return { isIntact: false, problems: signed.problems };
  const { manifest } = signed;
  const problems: string[] = [];
  const accepted = await options.acceptedSequence(manifest.name);
  if (manifest.sequence < accepted) {
    problems.push(
      `${MANIFEST_FILE}: sequence ${manifest.sequence} is older than ${accepted}, which was accepted before (roll-back)`,
    );
  }
  const parts = partsOf(manifest);
  problems.push(...(await strangers(options.folder, new Set(parts.map((part) => part.path)))));
  const total = parts.reduce((sum, part) => sum + part.size, 0);
  let before = 0;
  for (const part of parts) {
    options.signal?.throwIfAborted();
    const start = before;
    const problem = await checkPart(options.folder, part, (read) => options.step?.(start + read, total));
    if (problem !== null) problems.push(`${part.path}: ${problem}`);
    before += part.size;
  }
  if (problems.length > 0) return { isIntact: false, problems };
  return { isIntact: true, payload: signed };
}

/** Reads and checks only manifest and signature; for listing. Not a verification of the contents. */
export async function readSigned(
  folder: string,
  trusted: readonly TrustedKey[],
): Promise<VerifiedPayload | { readonly problems: readonly string[] }> {
  const manifestFile = await readSmall(join(folder, MANIFEST_FILE));
  const signatureFile = await readSmall(join(folder, SIGNATURE_FILE));
  if (typeof manifestFile === 'string' || typeof signatureFile === 'string') {
    const problems: string[] = [];
    if (typeof manifestFile === 'string') problems.push(`${MANIFEST_FILE}: ${manifestFile}`);
    if (typeof signatureFile === 'string') problems.push(`${SIGNATURE_FILE}: ${signatureFile}`);
    return { problems };
  }
  const checked = checkSignature(manifestFile, signatureFile, trusted);
  if ('reason' in checked) return { problems: [`${SIGNATURE_FILE}: ${checked.reason}`] };
  const parsed = parseManifest(manifestFile);
  if ('reasons' in parsed) return { problems: parsed.reasons.map((reason) => `${MANIFEST_FILE}: ${reason}`) };
  const digest = createHash('sha256').update(manifestFile).digest('hex');
  return { manifest: parsed.manifest, signer: checked.signer, digest };
}

/** Throws what verification found, all of it, with what to do. */
export function assertIntact(folder: string, verification: Verification): VerifiedPayload {
  if (verification.isIntact) return verification.payload;
  const { problems } = verification;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new UserProblem(
    'PAYLOAD-020',
    `The payload in ${folder} cannot be trusted (${count}): ${problems.join('; ')}.`,
    {
      value: folder,
      remedy:
        'Delete that folder and build or fetch the payload again; if it was carried here, carry it again.',
    },
  );
}

async function readSmall(file: string): Promise<Buffer | string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (thrown: NodeJS.ErrnoException) => thrown,
  );
  if (handle instanceof Error)
    return handle.code === 'ENOENT' ? 'missing' : `cannot be read (${handle.code})`;
  try {
    const { size } = await handle.stat();
    if (size > MANIFEST_LIMIT) return `is ${size} bytes, more than the ${MANIFEST_LIMIT} allowed`;
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Whatever lies in the folder and was not promised: files, links, devices, folders. */
async function strangers(folder: string, promised: ReadonlySet<string>): Promise<readonly string[]> {
  const problems: string[] = [];
  const expected = new Set([...promised, MANIFEST_FILE, SIGNATURE_FILE]);
  const folders = new Set(['files', 'images']);
  for (const top of await readdir(folder, { withFileTypes: true })) {
    if (top.isDirectory() && folders.has(top.name)) {
      for (const entry of await readdir(join(folder, top.name), { withFileTypes: true })) {
        const path = `${top.name}/${entry.name}`;
        if (!expected.has(path)) problems.push(`${path}: is not in the manifest`);
        else if (!entry.isFile()) problems.push(`${path}: is not a regular file`);
      }
    } else if (!expected.has(top.name)) {
      problems.push(`${top.name}: is not in the manifest`);
    } else if (!top.isFile()) {
      problems.push(`${top.name}: is not a regular file`);
    }
  }
  return problems;
}

async function checkPart(
  folder: string,
  part: Part,
  onRead: (bytes: number) => void,
): Promise<string | null> {
  const top = await lstat(join(folder, part.path.split('/')[0] ?? '')).catch(() => null);
  if (top !== null && !top.isDirectory()) return 'lies behind a link, not in a folder of the payload';
  // Links are refused by the open itself, so that nothing can be swapped between a look and a read.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(folder, part.path), flags).catch((thrown: NodeJS.ErrnoException) => thrown);
  if (handle instanceof Error) {
    if (handle.code === 'ENOENT') return 'is missing';
    return handle.code === 'ELOOP' ? 'is a link' : `cannot be read (${handle.code})`;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) return 'is not a regular file';
    if (found.size !== part.size) return `has ${found.size} bytes, the manifest says ${part.size}`;
    const hash = createHash('sha256');
    let read = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      read += (chunk as Buffer).length;
      onRead(read);
    }
    return hash.digest('hex') === part.sha256 ? null : 'its SHA-256 is not the one in the manifest';
  } finally {
    await handle.close();
  }
}
