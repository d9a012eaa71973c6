import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

/** One raw request; nothing of the CLI's client is used. */
export function ask(
  url: string,
  authority: string,
  options: {
    readonly method?: string;
    readonly token?: string | undefined;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly certificate?: { readonly key: string; readonly cert: string };
    /** Sent as it is, unnormalised. */
    readonly path?: string;
  } = {},
): Promise<Answer> {
  const { token, body, path, certificate } = options;
  const target = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: target.hostname,
        port: target.port,
        path: path ?? target.pathname + target.search,
        method: options.method ?? 'GET',
        ca: authority,
        agent: false,
        ...certificate,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...options.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
        response.once('error', reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A TLS connection to write on by hand. */
export function openRaw(url: string, authority: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca: authority }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Everything that comes until the other side closes. */
export function readToEnd(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', () => socket.destroy());
  });
}
