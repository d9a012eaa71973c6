import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';

/** One entry of an archive. Owner is always root, so that the same contents give the same bytes. */
export type TarEntry = { readonly path: string } & (
  | { readonly type: 'folder'; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'text'; readonly text: string | Buffer; readonly mode: number }
  | { readonly type: 'file'; readonly source: string; readonly size: number; readonly mode: number }
);

/**
 * Writes an uncompressed tar and hashes it on the way.
 * @param date modification time of every entry, in seconds since the epoch
 * @returns SHA-256 (hex) and size in bytes of the archive
 */
export async function writeTar(
  file: string,
  entries: readonly TarEntry[],
  date: number,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const archive = pack();
  const hash = createHash('sha256');
  let size = 0;
  const meter = new PassThrough();
  meter.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    size += chunk.length;
  });
  const written = pipeline(archive, meter, createWriteStream(file));
  const filled = fill(archive, entries, new Date(date * 1000));
  filled.catch((thrown: Error) => archive.destroy(thrown));
  await Promise.all([written, filled]);
  return { sha256: hash.digest('hex'), size };
}

async function fill(archive: Pack, entries: readonly TarEntry[], mtime: Date): Promise<void> {
  const common = { mtime, uid: 0, gid: 0 };
  for (const entry of entries) {
    if (entry.type === 'file') {
      const header = {
        ...common,
        name: entry.path,
        mode: entry.mode,
        size: entry.size,
        type: 'file' as const,
      };
      await pipeline(createReadStream(entry.source), archive.entry(header));
    } else if (entry.type === 'text') {
      await put(archive, { ...common, name: entry.path, mode: entry.mode, type: 'file' }, entry.text);
    } else if (entry.type === 'folder') {
      await put(archive, { ...common, name: `${entry.path}/`, mode: entry.mode, type: 'directory' });
    } else {
      await put(archive, {
        ...common,
        name: entry.path,
        mode: 0o777,
        type: 'symlink',
        linkname: entry.target,
      });
    }
  }
  archive.finalize();
}

function put(archive: Pack, header: Parameters<Pack['entry']>[0], text?: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (thrown?: Error | null): void => (thrown ? reject(thrown) : resolve());
    if (text === undefined) archive.entry(header, done);
    else archive.entry(header, text, done);
  });
}
