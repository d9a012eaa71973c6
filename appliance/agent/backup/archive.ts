import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type BackupManifest,
  backupManifestSchema,
  type BackupRequest,
} from '../../../provisioners/contract/backup.ts';
import type { ClusterIdentity } from '../../../provisioners/contract/machine.ts';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';
import { Blocked, Problem, Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import { minutes } from '../../../provisioners/contract/time.ts';
import { verified } from '../adapters/etcd-snapshot.ts';
import { recipientOf } from '../sealing.ts';
import { type BundleDescription, openBundle, sealBundle } from './bundle.ts';
import type { Destination } from './destination.ts';

/** Whose backups they are, and who opens them. */
export interface ArchiveOptions {
  readonly cluster: ClusterIdentity;
  /** The agent's own age identity: everything is encrypted to it too, so that it can be opened after writing. */
  readonly identity: string;
  /** The cluster's keys, sealed. */
  readonly keys: () => string;
  readonly log: (text: string) => void;
  readonly signal: () => AbortSignal;
}

/** A manifest is about a kilobyte; longer ones are somebody else's. */
const longestManifest = 64 * 1024;

/** What an agent that is no more left half-written is removed after so long. */
const abandonedAfter = minutes(24 * 60);

/** The backups of one cluster at one destination: `ID.tar.age`, and `ID.json` beside it as soon as it counts. */
export class BackupArchive {
  readonly #destination: Destination;
  readonly #options: ArchiveOptions;

  constructor(destination: Destination, options: ArchiveOptions) {
    this.#destination = destination;
    this.#options = options;
  }

  /** Finished backups whose file is there in full, newest first. */
  async list(): Promise<BackupManifest[]> {
    return this.#manifests(() => true);
  }

  /** The finished backup of this key. */
  async find(key: string): Promise<BackupManifest | undefined> {
    const digits = digitsOf(this.#options.cluster, key);
    const [found] = await this.#manifests((id) => id.endsWith(digits));
    return found;
  }

  /** See BackupPort.take. @throws Transient BACKUP-005 when what is read back is not what was written. */
  async take(request: BackupRequest, snapshot: () => Promise<EtcdSnapshot>): Promise<BackupManifest> {
    const finished = await this.find(request.key);
    if (finished !== undefined) return finished;
    const digits = digitsOf(this.#options.cluster, request.key);
    await this.#clear(digits, request.at);
    const id = `${compact(request.at)}-${digits}`;
    const taken = await snapshot();
    const description: BundleDescription = {
      format: 1,
      id,
      cluster: this.#options.cluster,
      at: request.at,
      kubernetesVersion: request.kubernetesVersion,
      etcdVersion: taken.etcdVersion,
      revision: taken.revision,
      member: taken.member,
      contains: ['etcd', 'keys'],
      bytes: taken.bytes,
    };
    const manifest = await this.#write(description, request.recipients, taken);
    try {
      await this.#verify(manifest);
    } catch (error) {
      await this.#destination.remove(fileOf(id)).catch(() => {});
      throw error;
    }
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
    await this.#destination.write(manifestOf(id), once(Buffer.from(text)));
    this.#options.log(
      `backup ${id} is at ${this.#destination.what}: ${manifest.file.bytes} bytes, opened and compared`,
    );
    return manifest;
  }

  /** The finished backup of this id. @throws Blocked BACKUP-008 when there is none */
  async known(id: string): Promise<BackupManifest> {
    const [found] = await this.#manifests((each) => each === id);
    if (found !== undefined) return found;
    throw new Blocked(
      'BACKUP-008',
      `There is no backup ${id} of this cluster at ${this.#destination.what}.`,
      {
        remedy: 'Choose one that is listed: remuda backup list.',
      },
    );
  }

  /**
   * The snapshot in a backup, to its end; then the file is known to be the one with this SHA-256, and what it held to
   * be whole.
   * @throws UserProblem BACKUP-009 when it is not, Blocked BACKUP-006 when it cannot be opened
   */
  async *read(manifest: BackupManifest, fileSha256: string): AsyncGenerator<Uint8Array, void, undefined> {
    const cipher = new Meter();
    const plain = new Meter();
    const file = cipher.measure(this.#destination.read(fileOf(manifest.id)));
    const passed = new PassThrough();
    const done = openBundle(this.#options.identity, file, async (snapshot, { bytes, member }) => {
      await pipeline(Readable.from(plain.measure(verified(snapshot, bytes, member))), passed, { end: false });
    }).then(
      () => passed.end(),
      (error: Error) => passed.destroy(error),
    );
    try {
      for await (const chunk of passed) yield chunk as Buffer;
    } finally {
      passed.destroy();
      await done;
    }
    if (cipher.sha256 !== fileSha256 || plain.sha256 !== manifest.snapshot.sha256)
      throw new UserProblem(
        'BACKUP-009',
        `The backup ${manifest.id} is not the file that was kept under that name.`,
        {
          remedy: 'Do not trust what it lies on; choose another backup.',
        },
      );
  }

  /** The manifest goes first: what is half removed is no backup any more. */
  async remove(id: string): Promise<void> {
    const known = backupManifestSchema.shape.id.parse(id);
    await this.#destination.remove(manifestOf(known));
    await this.#destination.remove(fileOf(known));
  }

  async #write(
    description: BundleDescription,
    recipients: readonly string[],
    taken: EtcdSnapshot,
  ): Promise<BackupManifest> {
    const { id, bytes, ...rest } = description;
    const plain = new Meter();
    const cipher = new Meter();
    const sealed = sealBundle([await recipientOf(this.#options.identity), ...recipients], {
      description,
      keys: this.#options.keys(),
      snapshot: plain.measure(taken.data),
    });
    await this.#destination.write(fileOf(id), cipher.measure(sealed));
    return { ...rest, id, snapshot: { bytes, sha256: plain.sha256 }, file: cipher.facts };
  }

  /** Reads the file back as it is kept now, opens it, and compares every byte of the snapshot by its digests. */
  async #verify(manifest: BackupManifest): Promise<void> {
    const cipher = new Meter();
    const plain = new Meter();
    const file = cipher.measure(this.#destination.read(fileOf(manifest.id)));
    try {
      await openBundle(this.#options.identity, file, async (snapshot, { bytes, member }) => {
        for await (const chunk of plain.measure(verified(snapshot, bytes, member))) void chunk;
      });
    } catch (error) {
      this.#options.signal().throwIfAborted();
      if (error instanceof Problem && error.report.code !== 'BACKUP-006') throw error;
      throw this.#differs('it cannot be opened');
    }
    if (cipher.sha256 !== manifest.file.sha256) throw this.#differs('its SHA-256 is another');
    if (plain.sha256 !== manifest.snapshot.sha256) throw this.#differs('the snapshot in it is another');
  }

  #differs(why: string): Transient {
    return new Transient(
      'BACKUP-005',
      `What ${this.#destination.what} gives back is not what was written: ${why}.`,
      {
        remedy: 'It was removed and is written again. If that goes on, look at what the backups are kept on.',
      },
    );
  }

  /** What earlier tries of this key left, and what was abandoned by whomever. */
  async #clear(digits: string, now: string): Promise<void> {
    const limit = compact(new Date(Date.parse(now) - abandonedAfter).toISOString());
    const isStale = (name: string): boolean => name.includes(digits) || name < limit;
    await this.#destination.sweep(isStale);
    const files = new Set((await this.#destination.files()).map(({ name }) => name));
    for (const name of files) {
      const id = idOf(name, '.tar.age');
      if (id !== undefined && !files.has(manifestOf(id)) && isStale(name))
        await this.#destination.remove(name);
    }
  }

  async #manifests(isWanted: (id: string) => boolean): Promise<BackupManifest[]> {
    const files = new Map((await this.#destination.files()).map(({ name, bytes }) => [name, bytes]));
    const found: BackupManifest[] = [];
    for (const [name, bytes] of files) {
      const id = idOf(name, '.json');
      if (id === undefined || !isWanted(id) || bytes > longestManifest) continue;
      const manifest = parse(await textOf(this.#destination.read(name)));
      const isOurs = manifest?.id === id && manifest.cluster.uid === this.#options.cluster.uid;
      if (isOurs && files.get(fileOf(id)) === manifest.file.bytes) found.push(manifest);
    }
    return found.sort((a, b) => (a.id < b.id ? 1 : -1));
  }
}

/** Counts and hashes what goes by. */
class Meter {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #digest: string | undefined;

  async *measure(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of content) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  /** Hexadecimal; nothing more is measured after it was asked for. */
  get sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  get facts(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.sha256 };
  }
}

const fileOf = (id: string): string => `${id}.tar.age`;
const manifestOf = (id: string): string => `${id}.json`;

/** The id in a name with this ending; undefined for names that are not ours. */
function idOf(name: string, ending: string): string | undefined {
  const id = name.endsWith(ending) ? name.slice(0, -ending.length) : '';
  return backupManifestSchema.shape.id.safeParse(id).success ? id : undefined;
}

/** What of an id says for which step of which operation it was made. */
const digitsOf = ({ uid }: ClusterIdentity, key: string): string =>
  createHash('sha256').update(`${uid}\n${key}`).digest('hex').slice(0, 16);

/** `2026-11-21T05:00:00.000Z` as `20261121T050000Z`. */
const compact = (at: string): string => `${new Date(at).toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')}Z`;

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): BackupManifest | undefined {
  try {
    return backupManifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
