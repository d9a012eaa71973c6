import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { Blocked } from '../contract/problem.ts';
import type { Instant } from '../contract/time.ts';
import { type PayloadCache, writeWhole } from './cache.ts';
import type { Flavour, PayloadManifest } from './manifest.ts';
import type { TrustedKey } from './signature.ts';
import { partsOf, readSigned, type VerifiedPayload } from './verify.ts';

/** A payload in the cache, as its signed manifest describes it. */
export interface CatalogueEntry {
  readonly folder: string;
  readonly manifest: PayloadManifest;
  readonly signer: TrustedKey;
  /** SHA-256 (hex) of the manifest. */
  readonly digest: string;
  /** Bytes of all parts together. */
  readonly size: number;
  /** When every byte was last found intact; null when never, or when the manifest has changed since. */
  readonly verifiedAt: Instant | null;
}

/** A folder in the cache that is no believable payload, and why. */
interface UnreadableEntry {
  readonly folder: string;
  readonly problems: readonly string[];
}

/** What the cache holds. */
export interface Catalogue {
  /** Sorted by name, newest sequence first. */
  readonly payloads: readonly CatalogueEntry[];
  readonly unreadable: readonly UnreadableEntry[];
}

const verifiedFile = z.strictObject({ digest: z.string(), at: z.iso.datetime() });

/** Lists the payloads in the cache. Reads manifests and signatures only; contents are the business of verify. */
export async function listPayloads(cache: PayloadCache, trusted: readonly TrustedKey[]): Promise<Catalogue> {
  const names = await readdir(cache.payloads).catch(() => []);
  const payloads: CatalogueEntry[] = [];
  const unreadable: UnreadableEntry[] = [];
  for (const name of names.filter((one) => !one.startsWith('.')).sort()) {
    const folder = join(cache.payloads, name);
    const signed = await readSigned(folder, trusted);
    if ('problems' in signed) unreadable.push({ folder, problems: signed.problems });
    else payloads.push(await entryOf(cache, folder, signed));
  }
  payloads.sort(
    (a, b) => a.manifest.name.localeCompare(b.manifest.name) || b.manifest.sequence - a.manifest.sequence,
  );
  return { payloads, unreadable };
}

/**
 * The newest payload for a Kubernetes version. Throws Blocked, with the command that brings it, when there is none.
 * @param version `v1.20.2` or `1.20.2`
 */
export async function findPayload(
  cache: PayloadCache,
  trusted: readonly TrustedKey[],
  version: string,
  flavour?: Flavour,
): Promise<CatalogueEntry> {
  const wanted = version.startsWith('v') ? version : `v${version}`;
  const { payloads, unreadable } = await listPayloads(cache, trusted);
  const found = payloads.find(
    ({ manifest }) =>
      manifest.kubernetes === wanted && (flavour === undefined || manifest.flavour === flavour),
  );
  if (found !== undefined) return found;
  const distrusted = unreadable.map(({ folder, problems }) => `${basename(folder)} (${problems.join('; ')})`);
  const others = distrusted.length === 0 ? '' : `, and these there are not trusted: ${distrusted.join(', ')}`;
  throw new Blocked(
    'PAYLOAD-022',
    `There is no payload of Kubernetes ${wanted} in ${cache.payloads}${others}.`,
    {
      value: version,
      remedy: `Run 'remuda payload fetch ${wanted}' or, for the lab, 'remuda payload build ${wanted}'.`,
    },
  );
}

/** Remembers that every byte of a payload was found intact just now. */
export async function rememberVerified(
  cache: PayloadCache,
  folder: string,
  payload: VerifiedPayload,
): Promise<void> {
  const record = { digest: payload.digest, at: new Date().toISOString() };
  await writeWhole(recordFile(cache, folder), `${JSON.stringify(record)}\n`);
}

/** Removes a payload, and what is remembered of it. */
export async function removePayload(cache: PayloadCache, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(recordFile(cache, folder), { force: true });
  await rm(join(cache.uses, basename(folder)), { recursive: true, force: true });
}

const recordFile = (cache: PayloadCache, folder: string): string =>
  join(cache.verified, `${basename(folder)}.json`);

async function entryOf(
  cache: PayloadCache,
  folder: string,
  signed: VerifiedPayload,
): Promise<CatalogueEntry> {
  const text = await readFile(recordFile(cache, folder), 'utf8').catch(() => null);
  let verifiedAt: Instant | null = null;
  if (text !== null) {
    try {
      const record = verifiedFile.parse(JSON.parse(text));
      if (record.digest === signed.digest) verifiedAt = record.at;
    } catch {
      verifiedAt = null;
    }
  }
  const size = partsOf(signed.manifest).reduce((sum, part) => sum + part.size, 0);
  return { folder, ...signed, size, verifiedAt };
}
