import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Larger files are programs and images, not something that a person or a program writes down. */
const largest = 32 * 2 ** 20;

/** Folders of a lab machine that hold the payload's programs and unpacked images: the same in every lab, and gigabytes. */
const supplies = [/\/disk\/containerd$/, /\/upper\/usr$/, /\/upper\/var\/lib\/remuda\/payload$/];

/** Bytes that must appear nowhere, in the forms in which programs write bytes down. */
export class Canary {
  readonly name: string;
  readonly #forms: readonly Buffer[];

  constructor(name: string, secret: Buffer) {
    this.name = name;
    const base64 = [0, 1, 2].map((shift) => {
      // Base64 of the bytes at each of the three alignments, without what depends on their neighbours.
      const whole = secret.subarray(shift, shift + Math.floor((secret.length - shift) / 3) * 3);
      return Buffer.from(whole.toString('base64'));
    });
    const hexadecimal = secret.toString('hex');
    this.#forms = [secret, ...base64, Buffer.from(hexadecimal), Buffer.from(hexadecimal.toUpperCase())];
  }

  isIn(content: Buffer | string): boolean {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
    return this.#forms.some((form) => bytes.includes(form));
  }

  /** Files below a folder that hold it; `isAllowed` leaves out where it belongs. */
  filesWith(folder: string, isAllowed: (path: string) => boolean = () => false): string[] {
    return filesBelow(folder).filter((path) => !isAllowed(path) && this.#isInFile(path));
  }

  #isInFile(path: string): boolean {
    try {
      return statSync(path).size <= largest && this.isIn(readFileSync(path));
    } catch (error) {
      // Gone since it was listed, or a namespace kept as a file: that has no content (nsfs answers EINVAL).
      if (['ENOENT', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }
}

function filesBelow(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return supplies.some((of) => of.test(path)) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** The private numbers of a PEM key: 32 bytes of an EC P-256 key, or a stretch of any other. */
export function keyMaterial(pem: string): Buffer {
  const body = pem.replaceAll(/-----[^-]+-----|\s/g, '');
  const der = Buffer.from(body, 'base64');
  // OCTET STRING of 32 bytes after version 1 (RFC 5915): 02 01 01 04 20.
  const at = der.indexOf(Buffer.from([0x02, 0x01, 0x01, 0x04, 0x20]));
  return at === -1 ? der.subarray(der.length >> 1, (der.length >> 1) + 32) : der.subarray(at + 5, at + 37);
}
