import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { minutes, seconds } from '../contract/time.ts';
import type { PayloadManifest } from './manifest.ts';
import { partUrl } from './install-list.ts';
import { parseRange } from './range.ts';
import { type Rank, RightOfWay } from './right-of-way.ts';
import { partsOf } from './verify.ts';

/** How the server listens. The certificate comes from the site's own CA; machines are given that CA over SSH. */
export interface PayloadServerOptions {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
  /** An address that machines reach and nobody else needs to. */
  readonly address: string;
  /** 0 chooses a free one. */
  readonly port: number;
  /** Connections at once; a machine uses one or two. Default 128. */
  readonly connections?: number;
  /** Told of each finished request, without its token. */
  readonly onRequest?: (request: ServedRequest) => void;
}

/** One answered request, for the log and for progress. */
export interface ServedRequest {
  readonly grantedTo: string | null;
  readonly path: string;
  readonly status: number;
  /** Bytes of the part that were sent. */
  readonly sent: number;
}

/** A payload that may be served: verified before, its folder unchanged since. */
export interface ServedPayload {
  readonly folder: string;
  readonly manifest: PayloadManifest;
  /** SHA-256 (hex) of the manifest. */
  readonly digest: string;
}

interface Grant {
  readonly to: string;
  readonly digest: string;
  readonly hash: Buffer;
  readonly expires: number;
  readonly rank: Rank;
}

/** A part as the manifest names it; a request can reach nothing that is not one of these. */
interface Part {
  readonly digest: string;
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

/** How long a token lasts unless it is revoked before: the hard limit of equipping one machine. */
export const TOKEN_LIFE = minutes(60);

/**
 * Hands verified payloads to machines: HTTPS, GET and HEAD, a bearer token for each machine and operation, single
 * byte ranges, so that `curl --continue-at -` resumes. A URL is looked up in the manifests and never becomes a path.
 */
export class PayloadServer {
  readonly #options: PayloadServerOptions;
  readonly #parts = new Map<string, Part>();
  readonly #grants = new Map<string, Grant>();
  readonly #way = new RightOfWay();
  #server: Server | null = null;

  constructor(options: PayloadServerOptions) {
    this.#options = options;
  }

  /** Starts to listen. @returns the port */
  async start(): Promise<number> {
    const { certificate, privateKey, address, port, connections = 128 } = this.#options;
    const server = createServer(
      {
        cert: certificate,
        key: privateKey,
        minVersion: 'TLSv1.2',
        requestTimeout: seconds(30),
        headersTimeout: seconds(10),
        keepAliveTimeout: seconds(10),
        maxHeaderSize: 8192,
      },
      (request, response) => void this.#answer(request, response),
    );
    server.maxConnections = connections;
    server.maxRequestsPerSocket = 1000;
    // A machine that has stopped reading must not hold a place for ever; curl comes back and resumes.
    server.setTimeout(minutes(2), (socket) => socket.destroy());
    server.listen(port, address);
    await once(server, 'listening');
    this.#server = server;
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : port;
  }

  /** Stops listening and drops what is under way; machines resume with the next server. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Makes a verified payload reachable for those who get a token for it. Again is no change. */
  publish(payload: ServedPayload): void {
    for (const part of partsOf(payload.manifest)) {
      const url = partUrl(payload.digest, part.path);
      this.#parts.set(url, { ...part, digest: payload.digest, file: join(payload.folder, part.path) });
    }
  }

  /** Takes a payload away again; its tokens become useless. */
  withdraw(digest: string): void {
    for (const [url, part] of this.#parts) if (part.digest === digest) this.#parts.delete(url);
    for (const [to, grant] of this.#grants) if (grant.digest === digest) this.#grants.delete(to);
  }

  /**
   * Gives a token for one payload; an earlier one of the same holder ends. The token is 256 random bits and is kept
   * only as a hash. Hand it over in a file that curl reads (`--config`, mode 0600), never in its arguments.
   * @param to who it is for, for example `prod-east/cp-1 operation 42`; appears in the log
   * @param digest the payload's manifest digest
   * @param rank who has the line first, see {@link RightOfWay}
   */
  grant(to: string, digest: string, life: number = TOKEN_LIFE, rank: Rank = 0): string {
    const token = randomBytes(32).toString('base64url');
    this.#grants.set(to, { to, digest, hash: hashOf(token), expires: Date.now() + life, rank });
    return token;
  }

  /** Ends a holder's token at once. */
  revoke(to: string): void {
    this.#grants.delete(to);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const grant = this.#grantOf(request.headers.authorization);
    const path = request.url ?? '/';
    let sent = 0;
    try {
      sent = await this.#serve(request, response, grant, path);
    } catch {
      // The machine went away, or the file did; the machine sees a short body and comes back.
      response.destroy();
    }
    // A path that was not served is somebody's input: cut before it reaches a log.
    const shown = this.#parts.has(path) ? path : path.slice(0, 100);
    this.#options.onRequest?.({
      grantedTo: grant?.to ?? null,
      path: shown,
      status: response.statusCode,
      sent,
    });
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    grant: Grant | null,
    path: string,
  ): Promise<number> {
    if (grant === null) return refuse(response, 401, { 'www-authenticate': 'Bearer realm="payload"' });
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, { allow: 'GET, HEAD' });
    const part = this.#parts.get(path);
    // What a token does not cover looks exactly like what does not exist.
    if (part === undefined || part.digest !== grant.digest) return refuse(response, 404);
    const condition = request.headers['if-range'];
    const isCurrent = condition === undefined || condition === `"${part.sha256}"`;
    const range = parseRange(isCurrent ? request.headers.range : undefined, part.size);
    if (range === 'unsatisfiable') return refuse(response, 416, { 'content-range': `bytes */${part.size}` });
    const handle = await open(part.file, constants.O_RDONLY | constants.O_NOFOLLOW);
    const transfer = this.#way.begin(grant.rank);
    try {
      return await send(request, response, part, range, {
        handle,
        mayGoOn: () => this.#way.giveWay(transfer),
      });
    } finally {
      this.#way.end(transfer);
      await handle.close();
    }
  }

  #grantOf(header: string | undefined): Grant | null {
    const presented = hashOf(/^Bearer ([A-Za-z0-9_-]{1,200})$/.exec(header ?? '')?.[1] ?? '');
    let found: Grant | null = null;
    // Every grant is compared, each in constant time: neither the answer's time nor its order tells anything.
    for (const grant of this.#grants.values()) if (timingSafeEqual(grant.hash, presented)) found = grant;
    return found !== null && found.expires > Date.now() ? found : null;
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): number {
  response.writeHead(status, { ...headers, 'content-length': 0 }).end();
  return 0;
}

/** A file on its way, and whoever says when its next portion may travel. */
interface Source {
  readonly handle: FileHandle;
  readonly mayGoOn: () => Promise<void>;
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  part: Part,
  range: { readonly start: number; readonly end: number } | null,
  source: Source,
): Promise<number> {
  const { start, end } = range ?? { start: 0, end: part.size - 1 };
  const length = end - start + 1;
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': length,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    etag: `"${part.sha256}"`,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${part.size}` }),
  });
  if (request.method === 'HEAD' || length === 0) {
    response.end();
    return 0;
  }
  await copy(source, start, length, response);
  return length;
}

/** Bytes read at a time: from 256 KiB on, larger ones cost no less CPU (measured with 420 MB on one core). */
const portion = 1 << 18;

/**
 * Sends a part of a file out of two buffers that are used in turn, one being filled while the other travels. A stream
 * makes a new buffer for each portion, which takes twice the CPU, and one thread serves all machines.
 * @throws Error when the other end went away or the file is shorter than it was
 */
async function copy(
  { handle, mayGoOn }: Source,
  start: number,
  length: number,
  response: ServerResponse,
): Promise<void> {
  const buffers = [Buffer.allocUnsafeSlow(portion), Buffer.allocUnsafeSlow(portion)] as const;
  let written: Promise<void> = Promise.resolve();
  let taken = 0;
  for (let turn = 0; taken < length; turn += 1) {
    const buffer = buffers[turn % 2] as Buffer;
    const wanted = Math.min(portion, length - taken);
    await mayGoOn();
    const [{ bytesRead }] = await Promise.all([handle.read(buffer, 0, wanted, start + taken), written]);
    if (bytesRead === 0) throw new Error('the file is shorter than it was');
    taken += bytesRead;
    written = write(response, buffer.subarray(0, bytesRead));
  }
  await written;
  response.end();
}

/** Resolves when the bytes were handed to the network and their buffer may be used again. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the other end went away'));
    response.once('close', onClose);
    response.write(bytes, (error) => {
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
