import { posix } from 'node:path';
import type { SFTPWrapper } from 'ssh2';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import { Blocked, Problem, Transient } from '../../../provisioners/contract/problem.ts';
import { addressOf, type Reach } from '../outgoing/address.ts';
import { Connection } from '../ssh/connection.ts';
import type { Destination, StoredFile } from './destination.ts';
import { partialOf, wholeOf } from './partial.ts';

/** What an SFTP destination is made of. */
export interface SftpOptions {
  readonly server: Extract<BackupDestination, { readonly type: 'ssh' }>;
  /** OpenSSH private key of `server.user`. */
  readonly privateKey: string;
  /** Name of the cluster's folder. */
  readonly folder: string;
  readonly reach: Reach;
  readonly signal: AbortSignal;
}

/** Bytes a read asks for: what every server gives at once (draft-ietf-secsh-filexfer-02 §3). */
const piece = 32 * 1024;

/** Requests that are under way at a time, so that a far server costs no round trip a piece. */
const ahead = 16;

/** SFTP's status codes that mean something to us. */
const noSuchFile = 2;

/** A folder on a server behind SSH. */
export class SftpDestination implements Destination {
  readonly what: string;
  readonly #connection: Connection;
  readonly #sftp: SFTPWrapper;
  readonly #options: SftpOptions;
  readonly #folder: string;
  readonly #onAbort = (): void => this.#connection.close();

  private constructor(connection: Connection, sftp: SFTPWrapper, options: SftpOptions) {
    this.#connection = connection;
    this.#sftp = sftp;
    this.#options = options;
    const { path, host } = options.server;
    this.#folder = posix.join(path, options.folder);
    this.what = `${path} on ${host}`;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @throws UserProblem OUTGOING-001, -002; Transient BACKUP-010; Blocked BACKUP-011, BACKUP-012, BACKUP-013 */
  static async open(options: SftpOptions): Promise<SftpDestination> {
    const { server, privateKey, reach, signal } = options;
    signal.throwIfAborted();
    const { host, port, user } = server;
    const address = await addressOf(host, reach);
    const machine = { name: host, address, port, user, hostKeys: [...server.hostKeys] };
    const connection = await Connection.open(machine, privateKey).catch((error: unknown) => {
      throw connectProblem(error, server);
    });
    try {
      const destination = new SftpDestination(connection, await connection.sftp(), options);
      await destination.#ask<unknown>((done) => destination.#sftp.stat(server.path, done), server.path);
      return destination;
    } catch (error) {
      connection.close();
      throw error instanceof Problem ? error : lineLost(host);
    }
  }

  async files(): Promise<readonly StoredFile[]> {
    return (await this.#entries()).filter(({ name }) => !name.startsWith('.'));
  }

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#makeFolder();
    const partial = this.#pathOf(partialOf(name));
    try {
      await this.#fill(partial, content);
      await this.#rename(partial, this.#pathOf(name));
    } catch (error) {
      await this.#unlink(partial).catch(() => {});
      throw error;
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const path = this.#pathOf(name);
    const handle = await this.#ask<Buffer>((done) => this.#sftp.open(path, 'r', done), path);
    try {
      const { size } = await this.#ask<{ size: number }>((done) => this.#sftp.fstat(handle, done), path);
      const pieces: Promise<Buffer>[] = [];
      for (let at = 0, asked = 0; at < size; at += piece) {
        for (; asked < size && pieces.length < ahead; asked += piece)
          pieces.push(settled(this.#piece(handle, path, asked, Math.min(piece, size - asked))));
        const next = pieces.shift();
        if (next !== undefined) yield await next;
      }
    } finally {
      await this.#ask((done) => this.#sftp.close(handle, done), path).catch(() => {});
    }
  }

  async remove(name: string): Promise<void> {
    await this.#unlink(this.#pathOf(name));
  }

  async sweep(isStale: (name: string) => boolean): Promise<void> {
    for (const { name } of await this.#entries()) {
      const whole = wholeOf(name);
      if (whole !== undefined && isStale(whole)) await this.#unlink(this.#pathOf(name));
    }
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#connection.close();
  }

  async #entries(): Promise<readonly StoredFile[]> {
    try {
      const list = await this.#ask<{ filename: string; attrs: { size: number } }[]>(
        (done) => this.#sftp.readdir(this.#folder, done),
        this.#folder,
      );
      return list.map(({ filename, attrs }) => ({ name: filename, bytes: attrs.size }));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async #makeFolder(): Promise<void> {
    try {
      await this.#ask((done) => this.#sftp.mkdir(this.#folder, { mode: 0o700 }, done), this.#folder);
    } catch (error) {
      // Version 3 of SFTP has one code for everything that went wrong: it may be there already.
      await this.#ask((done) => this.#sftp.stat(this.#folder, done), this.#folder).catch(() => {
        throw error;
      });
    }
  }

  async #fill(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const handle = await this.#ask<Buffer>((done) => this.#sftp.open(path, 'w', { mode: 0o600 }, done), path);
    try {
      const written: Promise<unknown>[] = [];
      let at = 0;
      for await (const chunk of content) {
        const [buffer, from] = [Buffer.from(chunk), at];
        at += buffer.length;
        if (written.length >= ahead) await written.shift();
        const one = this.#ask((done) => this.#sftp.write(handle, buffer, 0, buffer.length, from, done), path);
        written.push(settled(one));
      }
      await Promise.all(written);
      await this.#sync(handle, path);
    } finally {
      await this.#ask((done) => this.#sftp.close(handle, done), path).catch(() => {});
    }
  }

  /** Durable where the server is OpenSSH or knows its extension; others promise nothing, and are read back like all. */
  async #sync(handle: Buffer, path: string): Promise<void> {
    await this.#ask((done) => this.#sftp.ext_openssh_fsync(handle, done), path).catch((error: unknown) => {
      if (!isUnknownExtension(error)) throw error;
    });
  }

  /** SFTP's own rename replaces nothing, OpenSSH's does. */
  async #rename(from: string, to: string): Promise<void> {
    try {
      await this.#ask((done) => this.#sftp.ext_openssh_rename(from, to, done), to);
    } catch (error) {
      if (!isUnknownExtension(error)) throw error;
      await this.#unlink(to);
      await this.#ask((done) => this.#sftp.rename(from, to, done), to);
    }
  }

  async #unlink(path: string): Promise<void> {
    await this.#ask((done) => this.#sftp.unlink(path, done), path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  /** Exactly so many bytes: a server may give fewer at a time. */
  async #piece(handle: Buffer, path: string, at: number, length: number): Promise<Buffer> {
    const into = Buffer.alloc(length);
    for (let filled = 0; filled < length; ) {
      const got = await this.#ask<number>(
        (done) =>
          this.#sftp.read(handle, into, filled, length - filled, at + filled, (error, count) =>
            done(error, count),
          ),
        path,
      );
      filled += got;
    }
    return into;
  }

  #pathOf(name: string): string {
    return posix.join(this.#folder, name);
  }

  async #ask<Answer>(
    act: (done: (error: Error | null | undefined, answer?: Answer) => void) => void,
    path: string,
  ): Promise<Answer> {
    try {
      return await new Promise<Answer>((resolve, reject) => {
        act((error, answer) => (error == null ? resolve(answer as Answer) : reject(error)));
      });
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw sftpProblem(error, path, this.#options.server.host, this.#connection.isOpen);
    }
  }
}

/** A rejection that is looked at later is not unhandled meanwhile. */
function settled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

const lineLost = (host: string): Transient =>
  new Transient('BACKUP-010', `${host} cannot be reached over SSH, or the line was lost.`, {
    remedy: 'Check address, port and network between the agent and it; it is tried again.',
  });

function connectProblem(error: unknown, { host, user }: SftpOptions['server']): Problem {
  // ssh2 reads the keys before it does anything else; what it says of them is not repeated.
  if (!(error instanceof Problem))
    return new Blocked('BACKUP-014', `The private key or the host keys given for ${host} cannot be read.`, {
      remedy:
        'Give the whole private key in OpenSSH form, without a passphrase, and the host keys as ssh-keyscan prints them, without the name.',
    });
  if (error.report.code === 'SSH-002')
    return new Blocked('BACKUP-011', `${host} shows another SSH host key than the one given for backups.`, {
      remedy: 'Find out why; if it was changed on purpose, give the new key. Nothing was sent to it.',
    });
  if (error.report.code === 'SSH-003')
    return new Blocked('BACKUP-012', `${host} does not let ${user} in with the key given for backups.`, {
      remedy: `Put the public half into the authorized keys of ${user} there, or give the right key.`,
    });
  return lineLost(host);
}

/** What the server said is not repeated: only its code counts. */
function sftpProblem(error: unknown, path: string, host: string, isOpen: boolean): unknown {
  const { code } = error as { readonly code?: unknown };
  if (isUnknownExtension(error)) return error;
  if (!isOpen || typeof code !== 'number') return lineLost(host);
  const why = code === noSuchFile ? 'there is no such file or folder' : `status ${code}`;
  return new Blocked('BACKUP-013', `${host} does not do what is asked of it with ${path}: ${why}.`, {
    remedy: 'See that the folder is there, that the user may write in it, and that there is room.',
    value: `${code}`,
  });
}

/** ssh2's own words, said before anything is sent. */
const isUnknownExtension = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Server does not support this extended request';
const isMissing = (error: unknown): boolean =>
  error instanceof Problem && error.report.code === 'BACKUP-013' && error.report.value === `${noSuchFile}`;
