import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Decrypter, Encrypter } from 'age-encryption';
import { extract, type Pack, pack } from 'tar-stream';
import { z } from 'zod';
import { backupManifestSchema } from '../../../provisioners/contract/backup.ts';
import { Blocked, Problem } from '../../../provisioners/contract/problem.ts';

/** What the encrypted file says of itself: all of the manifest that is known before it is written. */
export const bundleDescriptionSchema = backupManifestSchema
  .omit({ snapshot: true, file: true })
  .extend({ bytes: z.int().positive() });
export type BundleDescription = z.infer<typeof bundleDescriptionSchema>;

/** What goes into a bundle. */
export interface BundleContents {
  readonly description: BundleDescription;
  /** The cluster's keys as they are kept, sealed: whoever opens the bundle has not opened them yet. */
  readonly keys: string;
  readonly snapshot: AsyncIterable<Uint8Array>;
}

/** Names inside the tar. */
const names = { description: 'backup.json', keys: 'keys.age', snapshot: 'snapshot.db' } as const;

/** The small texts of a bundle are a few kilobytes; longer ones are somebody else's. */
const longestText = 1024 * 1024;

/**
 * A backup as one age file around a tar, as it goes along: nothing but the encrypted form is ever kept.
 * `age --decrypt` and `tar` open it without us.
 */
export async function* sealBundle(
  recipients: readonly string[],
  contents: BundleContents,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encrypter = new Encrypter();
  for (const recipient of new Set(recipients)) encrypter.addRecipient(recipient);
  yield* await encrypter.encrypt(webStream(tarOf(contents)));
}

async function* tarOf(contents: BundleContents): AsyncGenerator<Uint8Array, void, undefined> {
  const archive = pack();
  const filled = fill(archive, contents);
  filled.catch((error: Error) => archive.destroy(error));
  for await (const chunk of archive) yield chunk as Buffer;
  await filled;
}

async function fill(archive: Pack, { description, keys, snapshot }: BundleContents): Promise<void> {
  const mtime = new Date(description.at);
  archive.entry(
    { name: names.description, mode: 0o600, mtime },
    `${JSON.stringify(description, undefined, 2)}\n`,
  );
  archive.entry({ name: names.keys, mode: 0o600, mtime }, keys);
  const size = description.bytes;
  await pipeline(snapshot, archive.entry({ name: names.snapshot, mode: 0o600, mtime, size }));
  archive.finalize();
}

/**
 * Opens a bundle as it comes in and hands the snapshot to `take`, which must read it to its end.
 * @returns what the bundle says of itself, and the cluster's keys, still sealed
 * @throws Blocked BACKUP-006 when it was not encrypted to the identity, or is no such file
 */
export async function openBundle(
  identity: string,
  file: AsyncIterable<Uint8Array>,
  take: (snapshot: AsyncIterable<Uint8Array>, description: BundleDescription) => Promise<void>,
): Promise<Omit<BundleContents, 'snapshot'>> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const plain = await decrypter.decrypt(webStream(file)).catch((error: unknown) => {
    throw error instanceof Problem ? error : cannotOpen();
  });
  const archive = extract();
  const fed = pipeline(Readable.from(plain), archive);
  // Its failure comes out of the archive too, where it is awaited.
  fed.catch(() => {});
  let description: BundleDescription | undefined;
  let keys: string | undefined;
  let isTaken = false;
  for await (const source of archive) {
    // tar-stream's streams say no more of their pieces than that they are some; they are buffers.
    const entry = source as typeof source & AsyncIterable<Uint8Array>;
    if (entry.header.name === names.description)
      description = bundleDescriptionSchema.parse(JSON.parse(await textOf(entry)));
    else if (entry.header.name === names.keys) keys = await textOf(entry);
    else if (entry.header.name === names.snapshot && description !== undefined) {
      await take(entry, description);
      isTaken = true;
    } else throw cannotOpen();
  }
  await fed;
  if (description === undefined || keys === undefined || !isTaken) throw cannotOpen();
  return { description, keys };
}

async function textOf(entry: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of entry) {
    size += chunk.length;
    if (size > longestText) throw cannotOpen();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** age speaks the streams of browsers. */
function webStream(content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const pieces = content[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await pieces.return?.();
    },
  });
}

const cannotOpen = (): Blocked =>
  new Blocked('BACKUP-006', 'The backup cannot be opened: it was not made for this key, or was changed.', {
    remedy: 'Open it with the recovery key, or take another backup.',
  });
