import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { Problem, Transient } from '../../provisioners/contract/problem.ts';
import type { Duration } from '../../provisioners/contract/time.ts';
import type { KeptConnections } from './kept-connections.ts';
import type { KeyPair } from './pki.ts';

/** Who we are and whom we expect at the other end of a TLS connection. */
export interface TlsIdentity {
  /** PEM of the authority believed; of two while they are rotated. */
  readonly authority: string;
  readonly client: KeyPair;
  /** A name in the server's certificate. The address is a tunnel's end and says nothing. */
  readonly serverName: string;
}

/** One HTTP request. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Where a connection comes from: a tunnel through SSH, or a socket from here. */
export type Transport = () => Promise<Duplex> | Duplex;

/** How long to wait for an answer, until when at all, and how to speak of the other end. */
interface Listening {
  readonly patience: Duration;
  readonly signal: AbortSignal;
  readonly what: string;
  /** Connections that are used again, of this identity alone; by default each request has its own. */
  readonly kept?: KeptConnections | undefined;
  /** Which of them; needed with `kept`. */
  readonly server?: string;
}

/** Longest answer that is read, characters. Lists are asked for in pages. */
const longest = 64 * 1024 * 1024;

/**
 * One HTTPS request over a stream of its own.
 * @throws Transient TLS-001 when the other end cannot be reached, does not prove who it is, or does not answer in time.
 */
export async function callOver(
  transport: Transport,
  identity: TlsIdentity,
  call: Call,
  options: Listening,
): Promise<Reply> {
  const timeout = AbortSignal.timeout(options.patience);
  const over = AbortSignal.any([options.signal, timeout]);
  let socket: TLSSocket | undefined;
  try {
    const { kept, server } = options;
    if (kept !== undefined && server !== undefined) {
      // A connection outlives the request that made it: only the handshake is bound to the request's time.
      const open = async (): Promise<TLSSocket> =>
        secured(await transport(), identity, AbortSignal.timeout(options.patience));
      return await askKept(kept.to(server, open), call, over);
    }
    socket = await secured(await transport(), identity, over);
    return await exchange(socket, call, over);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    const why = timeout.aborted ? `no answer after ${options.patience / 1000} s` : messageOf(error);
    throw new Transient('TLS-001', `${options.what} does not answer: ${why}`);
  } finally {
    socket?.destroy();
  }
}

/**
 * One HTTPS request over a stream of its own, whose answer is read piece by piece as it is taken. `patience` is the
 * longest silence; the whole may take as long as it likes. Whoever leaves early closes the connection.
 * @throws Transient TLS-001 as {@link callOver}, or when the answer has another status than 200 or is cut.
 */
export async function* streamOver(
  transport: Transport,
  identity: TlsIdentity,
  call: Call,
  { patience, signal, what }: Listening,
): AsyncGenerator<Buffer, void, undefined> {
  let socket: TLSSocket | undefined;
  try {
    socket = await secured(
      await transport(),
      identity,
      AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    );
    const response = await unlessSilent(begin(socket, call, signal), socket, patience);
    if (response.statusCode !== 200)
      throw new Transient('TLS-001', `${what} answers with status ${response.statusCode ?? 0}`);
    const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    for (;;) {
      const piece = await unlessSilent(pieces.next(), socket, patience);
      if (piece.done === true) return;
      yield piece.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    throw new Transient('TLS-001', `${what} does not answer: ${messageOf(error)}`);
  } finally {
    socket?.destroy();
  }
}

/** Destroys the socket, and so fails the promise, when it takes longer than `patience`. */
async function unlessSilent<Value>(
  awaited: Promise<Value>,
  socket: TLSSocket,
  patience: Duration,
): Promise<Value> {
  let isSilent = false;
  const timer = setTimeout(() => {
    isSilent = true;
    socket.destroy();
  }, patience);
  try {
    return await awaited;
  } catch (error) {
    throw isSilent ? new Error(`it was silent for ${patience / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
  }
}

function secured(stream: Duplex, identity: TlsIdentity, over: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      socket: stream,
      ca: identity.authority,
      // Somebody else may have signed the cluster's authority; what is believed is the authority, not that.
      allowPartialTrustChain: true,
      cert: identity.client.certificate,
      key: identity.client.key,
      servername: identity.serverName,
      ALPNProtocols: ['http/1.1'],
    });
    const fail = (error: Error): void => {
      over.removeEventListener('abort', onAbort);
      socket.destroy();
      stream.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error('it took too long'));
    if (over.aborted) onAbort();
    else over.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
    socket.once('secureConnect', () => {
      over.removeEventListener('abort', onAbort);
      resolve(socket);
    });
  });
}

/** Asks over a kept connection. The server may have closed it just now: then once more, over another. */
async function askKept(agent: Agent, call: Call, over: AbortSignal): Promise<Reply> {
  for (;;) {
    let request: ClientRequest | undefined;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request = send({ agent }, call, over, 'keep-alive');
        request.on('error', reject);
        request.once('response', resolve);
      });
      return await readReply(response);
    } catch (error) {
      if (request?.reusedSocket !== true || over.aborted) throw error;
    }
  }
}

/** Sends the request; resolves with the head of the answer. */
function begin(socket: TLSSocket, call: Call, over: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = send({ createConnection: () => socket }, call, over, 'close');
    // Stays, so that an error after the head, which the answer tells too, ends nothing but this request.
    request.on('error', reject);
    request.once('response', resolve);
  });
}

function send(
  way: { readonly agent: Agent } | { readonly createConnection: () => TLSSocket },
  call: Call,
  over: AbortSignal,
  connection: 'close' | 'keep-alive',
): ClientRequest {
  const request = httpRequest({
    ...way,
    method: call.method,
    path: call.path,
    signal: over,
    headers: {
      host: 'localhost',
      accept: 'application/json, */*',
      connection,
      ...(call.body === undefined
        ? {}
        : {
            'content-type': call.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(call.body),
          }),
    },
  });
  request.end(call.body);
  return request;
}

async function exchange(socket: TLSSocket, call: Call, over: AbortSignal): Promise<Reply> {
  return readReply(await begin(socket, call, over));
}

function readReply(response: IncomingMessage): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
      if (text.length > longest) response.destroy(new Error('the answer is too long'));
    });
    response.once('error', reject);
    response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
