import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserProblem } from '../contract/problem.ts';
import { writeWhole } from './cache.ts';

/** A public key whose signatures are believed, and whose it is. */
export interface TrustedKey {
  /** First 16 hex digits of the SHA-256 of the key's SPKI form. */
  readonly id: string;
  /** For people: `local build`, `release 2026`. */
  readonly owner: string;
  readonly key: KeyObject;
}

/** A key pair that signs payloads on this machine. */
export interface SigningKey extends TrustedKey {
  readonly privateKey: KeyObject;
}

const signatureFile = z.strictObject({
  algorithm: z.literal('ed25519'),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.base64().length(88),
});

/** Names a public key by its contents, so that nobody can choose another's name. */
export function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

/** Makes a trusted key of a PEM public key. Throws a UserProblem when it is not Ed25519. */
function trustedKey(owner: string, pem: string): TrustedKey {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new UserProblem('PAYLOAD-001', `The key of "${owner}" is ${key.asymmetricKeyType}, not Ed25519.`, {
      remedy: 'Give the Ed25519 public key in PEM form.',
    });
  }
  return { id: keyId(key), owner, key };
}

/** Signs the exact bytes of a manifest; the result is what is written beside it. */
export function signManifest(manifest: Buffer, key: SigningKey): Buffer {
  const signature = sign(null, manifest, key.privateKey).toString('base64');
  return Buffer.from(`${JSON.stringify({ algorithm: 'ed25519', keyId: key.id, signature })}\n`);
}

/**
 * Checks a detached signature over the exact bytes of a manifest.
 * @returns who signed, or why it is not believed
 */
export function checkSignature(
  manifest: Buffer,
  signature: Buffer,
  trusted: readonly TrustedKey[],
): { readonly signer: TrustedKey } | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(signature.toString('utf8'));
  } catch {
    return { reason: 'the signature file is not JSON' };
  }
  const parsed = signatureFile.safeParse(value);
  if (!parsed.success) return { reason: 'the signature file is not a signature of Remuda' };
  const signer = trusted.find((key) => key.id === parsed.data.keyId);
  if (signer === undefined) {
    const known = trusted.map((key) => `${key.id} (${key.owner})`).join(', ') || 'none';
    return { reason: `it was signed by key ${parsed.data.keyId}, which is not trusted (trusted: ${known})` };
  }
  if (!verify(null, manifest, signer.key, Buffer.from(parsed.data.signature, 'base64'))) {
    return { reason: `the signature of key ${signer.id} (${signer.owner}) does not fit the manifest` };
  }
  return { signer };
}

/**
 * The key that signs what this machine builds and fetches. Made at first use, mode 0600; its public half lies beside
 * it and is trusted as "local build" on this machine and nowhere else. Call it under the build lock.
 */
export async function localSigningKey(file: string): Promise<SigningKey> {
  const pem = (await readOptional(file)) ?? (await createKey(file));
  const privateKey = createPrivateKey(pem);
  const key = createPublicKey(privateKey);
  const spki = key.export({ type: 'spki', format: 'pem' }).toString();
  if ((await readOptional(publicHalf(file))) !== spki) await writeWhole(publicHalf(file), spki);
  return { ...trustedKey(LOCAL_OWNER, spki), privateKey };
}

/**
 * The keys this machine believes: its own, once it has built or fetched anything. Needs no private key and no lock,
 * so that an agent with fewer rights can verify.
 * @param file the signing key's path ({@link import('./cache.ts').PayloadCache})
 */
export async function localTrust(file: string): Promise<readonly TrustedKey[]> {
  const pem = await readOptional(publicHalf(file));
  return pem === null ? [] : [trustedKey(LOCAL_OWNER, pem)];
}

const LOCAL_OWNER = 'local build';

const publicHalf = (file: string): string => file.replace(/\.pem$/, '.pub.pem');

async function createKey(file: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeWhole(file, pem, 0o600);
  return pem;
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  }
}
