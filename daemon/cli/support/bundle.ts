import { createHash } from 'node:crypto';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Scrubber } from './scrubbing.ts';

/** A file of the bundle. */
interface BundleFile {
  readonly path: string;
  readonly content: Buffer;
}

/** Something that should be in the bundle and is not. */
export interface Missing {
  readonly what: string;
  readonly why: string;
}

/** What the bundle says of itself, in `manifest.json`. */
export interface Manifest {
  readonly format: 1;
  readonly madeAt: string;
  readonly madeBy: string;
  readonly server: string;
  /** Texts that had the form of a key or token and were blacked out on the way in; 0 is what should be. */
  readonly blackedOut: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  readonly missing: readonly Missing[];
}

/** Gathers files in memory up to a limit; what would go beyond it is left out and said. */
export class Bundle {
  readonly missing: Missing[] = [];
  readonly #files: BundleFile[] = [];
  readonly #scrubber: Scrubber;
  readonly #limit: number;
  #bytes = 0;

  /** `limit`: bytes before compression. */
  constructor(scrubber: Scrubber, limit: number) {
    this.#scrubber = scrubber;
    this.#limit = limit;
  }

  /** Adds a text. Add what matters most first: when it gets full, the rest is left out. */
  add(path: string, text: string): void {
    const content = Buffer.from(this.#scrubber.scrub(text), 'utf8');
    if (this.#bytes + content.length > this.#limit) {
      const sizes = `${content.length} bytes more than the ${this.#limit} it may have`;
      this.missing.push({ what: path, why: `the bundle would be too large (${sizes})` });
      return;
    }
    this.#bytes += content.length;
    this.#files.push({ path, content });
  }

  /** Adds a short text whatever the limit says. */
  addShort(path: string, text: string): void {
    this.#files.push({ path, content: Buffer.from(this.#scrubber.scrub(text), 'utf8') });
  }

  /** Adds what `read` gives, or says why it could not be had; our own mistakes are thrown. */
  async collect(
    what: string,
    read: () => Promise<void>,
    isKnown: (error: unknown) => error is Error,
  ): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!isKnown(error)) throw error;
      this.missing.push({ what, why: error.message });
    }
  }

  /** Writes the archive, readable by its owner only; all of it, or none. @returns its manifest */
  async write(file: string, about: Pick<Manifest, 'madeAt' | 'madeBy' | 'server'>): Promise<Manifest> {
    const manifest: Manifest = {
      format: 1,
      ...about,
      blackedOut: this.#scrubber.count,
      files: this.#files.map(({ path, content }) => ({
        path,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      })),
      missing: this.missing,
    };
    const folder = `remuda-support-${about.madeAt.replaceAll(/[:.]/g, '-')}`;
    const archive = pack();
    const first = { path: 'manifest.json', content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
    for (const { path, content } of [first, ...this.#files])
      archive.entry({ name: `${folder}/${path}`, mode: 0o600, mtime: new Date(about.madeAt) }, content);
    archive.finalize();
    const temporary = `${file}.${process.pid}.new`;
    try {
      await pipeline(archive, createGzip(), createWriteStream(temporary, { mode: 0o600 }));
      renameSync(temporary, file);
    } finally {
      rmSync(temporary, { force: true });
    }
    return manifest;
  }
}
