import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listPayloads, rememberVerified, removePayload } from './catalogue.ts';
import { isPresent, makeFolder, type PayloadCache, removeHalfMade } from './cache.ts';
import {
  type Flavour,
  MANIFEST_FILE,
  manifestBytes,
  type PayloadFile,
  type PayloadImage,
  type PayloadManifest,
  payloadName,
  SIGNATURE_FILE,
} from './manifest.ts';
import { localSigningKey, type SigningKey, signManifest } from './signature.ts';
import { isInUse } from './uses.ts';
import { verifyPayload } from './verify.ts';

/** A finished, signed and verified payload in the cache. */
export interface AssembledPayload {
  readonly folder: string;
  readonly manifest: PayloadManifest;
  /** SHA-256 (hex) of the manifest. */
  readonly digest: string;
  /** True when it was there already and nothing was made. */
  readonly isReused: boolean;
}

/** What a payload is made of; `fill` writes its parts. */
export interface Assembly {
  readonly version: string;
  readonly flavour: Flavour;
  readonly arch: PayloadManifest['platform']['arch'];
  readonly provenance: string;
  readonly contentKey: string;
  /** Writes parts into `files/` and `images/` of the folder and describes them. */
  readonly fill: (
    folder: string,
  ) => Promise<{ readonly files: readonly PayloadFile[]; readonly images: readonly PayloadImage[] }>;
  /** Runs the given check, so that the caller can show its progress. */
  readonly verify: (check: (step: (done: number, total: number) => void) => Promise<void>) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Makes a payload's folder whole or not at all, signs it with this machine's key, and verifies every byte from the
 * disk. One that is there under the same content key is verified and taken; a damaged one is set aside and made
 * again. Call it under the build lock.
 */
export async function assemblePayload(cache: PayloadCache, assembly: Assembly): Promise<AssembledPayload> {
  const key = await localSigningKey(cache.signingKey);
  const name = payloadName(assembly.version, assembly.flavour);
  const folder = join(cache.payloads, `${name}-${assembly.contentKey.slice(0, 12)}`);
  if (await isPresent(folder)) {
    const found = await check(cache, folder, key, assembly);
    if (found !== null) {
      await forgetOlder(cache, key, name);
      return { ...found, isReused: true };
    }
    await removePayload(cache, folder);
  }
  await makeFolder(folder, async (temporary) => {
    await mkdir(join(temporary, 'files'));
    await mkdir(join(temporary, 'images'));
    const parts = await assembly.fill(temporary);
    const manifest = manifestBytes({
      schema: 'remuda.dev/payload/v1',
      name,
      kubernetes: assembly.version,
      flavour: assembly.flavour,
      provenance: assembly.provenance,
      platform: { os: 'linux', arch: assembly.arch },
      sequence: await nextSequence(cache, key, name),
      built: new Date().toISOString(),
      contentKey: assembly.contentKey,
      files: [...parts.files],
      images: [...parts.images],
    });
    await writeFile(join(temporary, MANIFEST_FILE), manifest);
    await writeFile(join(temporary, SIGNATURE_FILE), signManifest(manifest, key));
  });
  const made = await check(cache, folder, key, assembly);
  if (made === null) throw new Error(`the payload in ${folder} was damaged while it was written`);
  await forgetOlder(cache, key, name);
  return { ...made, isReused: false };
}

/** Only the newest payload of a name stays, and one that is on its way to a machine. */
async function forgetOlder(cache: PayloadCache, key: SigningKey, name: string): Promise<void> {
  const { payloads } = await listPayloads(cache, [key]);
  const older = payloads.filter((entry) => entry.manifest.name === name).slice(1);
  for (const { folder } of older) if (!(await isInUse(cache, folder))) await removePayload(cache, folder);
  // What a killed build of another recipe left half-made; ours is finished and nobody else builds now.
  await removeHalfMade(cache.payloads);
}

async function check(
  cache: PayloadCache,
  folder: string,
  key: SigningKey,
  assembly: Assembly,
): Promise<Pick<AssembledPayload, 'folder' | 'manifest' | 'digest'> | null> {
  let result: Pick<AssembledPayload, 'folder' | 'manifest' | 'digest'> | null = null;
  await assembly.verify(async (step) => {
    const verification = await verifyPayload({
      folder,
      trusted: [key],
      // The signer itself decides what is newest here; roll-back is the business of those who receive it.
      acceptedSequence: () => 0,
      step,
      ...(assembly.signal === undefined ? {} : { signal: assembly.signal }),
    });
    if (!verification.isIntact) return;
    await rememberVerified(cache, folder, verification.payload);
    result = { folder, manifest: verification.payload.manifest, digest: verification.payload.digest };
  });
  return result;
}

/** Seconds since the epoch, and always more than any payload of that name in the cache: clocks are set back. */
async function nextSequence(cache: PayloadCache, key: SigningKey, name: string): Promise<number> {
  const { payloads } = await listPayloads(cache, [key]);
  const known = payloads
    .filter((entry) => entry.manifest.name === name)
    .map((entry) => entry.manifest.sequence);
  return Math.max(Math.floor(Date.now() / 1000), ...known.map((sequence) => sequence + 1));
}
