import type { Socket } from 'node:net';
import {
  Client,
  type Entry,
  InsufficientAccessError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  type SearchOptions,
} from 'ldapts';
import { Blocked, Problem, Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import { asOutgoing, type Destination, openPlain, openSecure, securityOf } from '../outgoing/socket.ts';
import type { DirectoryConfig } from '../protocol/outgoing.ts';

/** Ports of LDAP over TLS and of LDAP (RFC 4513, IANA). */
const securePort = 636;
const plainPort = 389;

/** One connection to a directory, protected by TLS before the first word of ours. */
export class DirectorySession implements Disposable {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #signal: AbortSignal;

  private constructor(client: Client, socket: Socket, signal: AbortSignal) {
    this.#client = client;
    this.#socket = socket;
    this.#signal = signal;
  }

  /** Connects and secures. @throws Problem OUTGOING-… or DIRECTORY-001 */
  static async open(config: DirectoryConfig, reach: Reach, signal: AbortSignal): Promise<DirectorySession> {
    const { destination, isSecure } = serverOf(config.server);
    const socket = isSecure
      ? await openSecure(destination, config.authority, reach, signal)
      : await openPlain(destination, reach, signal);
    const client = new Client({
      url: 'ldap://directory',
      strictDN: false,
      // The library connects anew by itself when a connection was lost, and a password would then go out in the clear:
      // it gets this one connection and no other.
      createConnection: onlyOnce(socket),
    });
    const session = new DirectorySession(client, socket, signal);
    if (isSecure) return session;
    try {
      await Promise.race([client.startTLS(securityOf(destination, config.authority)), lost(socket)]);
      return session;
    } catch (error) {
      session[Symbol.dispose]();
      throw unsecured(error, config.server);
    }
  }

  /** True when the password is the entry's. @throws Problem when that cannot be found out */
  async isPassword(dn: string, password: string): Promise<boolean> {
    // RFC 4513 §5.1.2: a name with an empty password is an anonymous bind, and succeeds.
    if (password === '' || dn === '') return false;
    try {
      await this.#client.bind(dn, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError || error instanceof InvalidDNSyntaxError) return false;
      if (error instanceof NoSuchObjectError || error instanceof InsufficientAccessError) return false;
      throw this.#problemOf(error);
    }
  }

  /** Entries below a base. What the directory refers to elsewhere is not followed. */
  async search(base: string, options: SearchOptions): Promise<readonly Entry[]> {
    try {
      const { searchEntries } = await this.#client.search(base, { derefAliases: 'never', ...options });
      return searchEntries;
    } catch (error) {
      if (error instanceof NoSuchObjectError)
        throw new UserProblem('DIRECTORY-003', `The directory has no entry ${base}.`, {
          remedy: 'Give the DN under which people (or groups) stand.',
        });
      throw this.#problemOf(error);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (this.#signal.aborted || this.#socket.destroyed)
      return new Transient('DIRECTORY-004', 'The directory went away before it had answered.');
    return new Blocked('DIRECTORY-005', 'The directory refuses what was asked.', {
      remedy:
        'Look whether the account that searches may read people and groups; the log of the directory has the rest.',
    });
  }
}

/** `ldaps://host:port` or `ldap://host:port`, with nothing behind it. @throws UserProblem DIRECTORY-001 */
export function serverOf(text: string): { readonly destination: Destination; readonly isSecure: boolean } {
  const match = /^(ldaps?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  const [, scheme = '', host = '', port] = match ?? [];
  if (match === null || Number(port ?? 1) > 65_535)
    throw new UserProblem('DIRECTORY-001', 'This is not the address of a directory.', {
      value: text,
      remedy: 'Write ldaps://host:636, or ldap://host:389 for StartTLS.',
    });
  const isSecure = scheme.toLowerCase() === 'ldaps';
  const usual = isSecure ? securePort : plainPort;
  return { destination: { host, port: port === undefined ? usual : Number(port) }, isSecure };
}

function onlyOnce(socket: Socket): () => Socket {
  let isGiven = false;
  return () => {
    if (isGiven) throw new Transient('DIRECTORY-004', 'The directory closed the connection.');
    isGiven = true;
    return socket;
  };
}

/** Rejects when the connection ends: the library waits for ever when that happens during the handshake. */
function lost(socket: Socket): Promise<never> {
  return new Promise((_resolve, reject) => {
    socket.once('close', () =>
      reject(new Transient('DIRECTORY-004', 'The directory closed the connection.')),
    );
  });
}

function unsecured(error: unknown, server: string): Error {
  if (error instanceof Problem) return error;
  const { code } = error as { readonly code?: unknown };
  // A number is LDAP's own answer: the server does not know StartTLS.
  if (typeof code === 'number')
    return new UserProblem('DIRECTORY-006', `${server} does not protect its connections with StartTLS.`, {
      remedy: 'Give its ldaps:// address, or set up certificates on the directory.',
    });
  return asOutgoing(error, server);
}
