import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './private-file.ts';

const keyBytes = 32;
/** NIST SP 800-38D §8.2.2: 96 random bits. */
const nonceBytes = 12;
const tagBytes = 16;

/** What the site's access key is used for; each purpose has a key of its own (HKDF, RFC 5869). */
type Purpose = 'device' | 'draft' | 'recovery-code' | 'second-factor' | 'sign-in-limit';

/**
 * A key that lies beside the state file and not in it: whoever reads the database alone can neither try recovery codes
 * nor make one-time codes nor pretend to be a known device.
 */
export class AccessKey {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Reads `<folder>/access.key`, or draws it at the first start. */
  static open(folder: string): AccessKey {
    const path = join(folder, 'access.key');
    if (!existsSync(path)) writePrivateFile(path, `${randomBytes(keyBytes).toString('base64url')}\n`);
    return new AccessKey(Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url'));
  }

  /** Keyed hash, base64url. */
  sign(purpose: Purpose, text: string): string {
    return createHmac('sha256', this.#of(purpose)).update(text).digest('base64url');
  }

  /** Compares in constant time. */
  isSignature(purpose: Purpose, text: string, signature: string): boolean {
    const expected = Buffer.from(this.sign(purpose, text));
    const given = Buffer.from(signature);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }

  /** Encrypts with AES-256-GCM; `context` must be given again to open it. */
  seal(purpose: Purpose, text: string, context: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#of(purpose), nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws Error when it was sealed by another key, for another context, or was changed. */
  open(purpose: Purpose, sealed: string, context: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    const nonce = bytes.subarray(0, nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#of(purpose), nonce)
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
  }

  #of(purpose: Purpose): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, '', `remuda ${purpose}`, keyBytes));
  }
}
