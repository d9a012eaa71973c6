import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTls } from 'node:tls';

/** What a syslog server holds, message by message, and how it behaves. */
export interface SyslogServer extends AsyncDisposable {
  readonly port: number;
  /** Whole messages, without their lengths. */
  readonly messages: string[];
  /** From now on connections are cut after so many bytes; undefined = they are read to their end. */
  cutAfter: number | undefined;
}

/** A tiny syslog server: RFC 6587 octet counting, over TCP or TLS, closes when the other side has. */
export async function startSyslog(identity?: {
  readonly certificate: string;
  readonly privateKey: string;
}): Promise<SyslogServer> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (running.cutAfter !== undefined && bytes.length > running.cutAfter) {
        socket.resetAndDestroy();
        return;
      }
      for (let rest = next(bytes); rest !== undefined; rest = next(bytes)) {
        running.messages.push(rest.message);
        bytes = rest.after;
      }
    });
  };
  const server: Server =
    identity === undefined
      ? createServer(take)
      : createTls({ cert: identity.certificate, key: identity.privateKey }, take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: SyslogServer = {
    port: (server.address() as { readonly port: number }).port,
    messages: [],
    cutAfter: undefined,
    [Symbol.asyncDispose]: () => ended(server, sockets),
  };
  return running;
}

function next(bytes: Buffer): { readonly message: string; readonly after: Buffer } | undefined {
  const space = bytes.indexOf(' ');
  if (space < 1) return undefined;
  const length = Number(bytes.subarray(0, space).toString());
  const end = space + 1 + length;
  if (bytes.length < end) return undefined;
  return { message: bytes.subarray(space + 1, end).toString('utf8'), after: bytes.subarray(end) };
}

/** What came to a webhook. */
export interface Hooked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A tiny https server that keeps what it gets and answers what the test says. */
export interface HookServer extends AsyncDisposable {
  readonly port: number;
  readonly got: Hooked[];
  status: number;
}

/** Starts one. */
export async function startHook(identity: {
  readonly certificate: string;
  readonly privateKey: string;
}): Promise<HookServer> {
  const sockets = new Set<Duplex>();
  const server = createHttps(
    { cert: identity.certificate, key: identity.privateKey },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        running.got.push({
          path: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
        response.writeHead(running.status, { location: 'https://169.254.169.254/' });
        response.end('body-canary');
      });
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: HookServer = {
    port: (server.address() as { readonly port: number }).port,
    got: [],
    status: 200,
    [Symbol.asyncDispose]: () => ended(server, sockets),
  };
  return running;
}

async function ended(server: Server, sockets: ReadonlySet<Duplex>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
}
