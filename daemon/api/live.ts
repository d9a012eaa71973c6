import type { IncomingHttpHeaders } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server, type Socket } from 'socket.io';
import { authorize } from '../access/authorize.ts';
import type { Principal } from '../access/principals.ts';
import { LiveWindow } from './live-window.ts';
import type { Services } from './route.ts';
import { type Batch, type Follow, followSchema, livePath } from './schemas/live.ts';

/** Items in one batch: some 200 kB, sent while the client works on nothing else. */
const batchSize = 500;
/** A client that has not acknowledged a batch for so long is gone or hung; it reconnects and goes on from its number. */
const acknowledgeWithin = 30_000;
/** A client says only which numbers it follows. */
const largestMessage = 16 * 1024;
/** Things that happen together go out together. */
const gatherFor = 10;
/** Live connections one daemon serves at once; more are turned away with a reason. */
const mostClients = 500;

/** Live events and log lines: authenticated, bounded, replayed from a number. */
export class LiveEvents {
  readonly #services: Services;
  readonly #window: LiveWindow;
  #server: Server | undefined;

  constructor(services: Services) {
    this.#services = services;
    this.#window = new LiveWindow(services.engine);
  }

  start(server: HttpsServer): void {
    this.#window.start();
    this.#server = new Server(server, {
      path: livePath,
      serveClient: false,
      maxHttpBufferSize: largestMessage,
      connectTimeout: 10_000,
      pingInterval: 20_000,
      pingTimeout: 20_000,
      // No browser of another origin gets in: without CORS headers its polls fail, and this refuses its web sockets.
      allowRequest: (request, decide) => decide(null, isSameOrigin(request.headers)),
    });
    this.#server.use((socket, next) => {
      if (this.#server !== undefined && this.#server.engine.clientsCount > mostClients)
        return next(new Error('too many live connections'));
      return next(this.#principalOf(socket) ? undefined : new Error('unauthenticated'));
    });
    this.#server.on('connection', (socket) => this.#welcome(socket));
  }

  async stop(): Promise<void> {
    this.#window.stop();
    await this.#server?.close();
  }

  #welcome(socket: Socket): void {
    this.#services.metrics.setClients(this.#server?.engine.clientsCount ?? 0);
    let stop: (() => void) | undefined;
    socket.on('follow', (wish: unknown) => {
      const follow = followSchema.safeParse(wish);
      if (!follow.success) {
        socket.emit('refused', 'the request to follow is malformed');
        socket.disconnect(true);
        return;
      }
      stop?.();
      stop = this.#follow(socket, follow.data);
    });
    socket.on('disconnect', () => {
      stop?.();
      this.#services.metrics.setClients(this.#server?.engine.clientsCount ?? 0);
    });
  }

  /** The token is looked up anew for each batch: a revoked one ends the stream. */
  #principalOf(socket: Socket): Principal | undefined {
    const { token } = socket.handshake.auth as { readonly token?: unknown };
    const principal = typeof token === 'string' ? this.#services.tokens.authenticate(token) : undefined;
    return principal && authorize(principal, 'read', { kind: 'event' }) ? principal : undefined;
  }

  #follow(socket: Socket, wish: Follow): () => void {
    const stream = new Stream(
      socket,
      new Cursor(this.#window, wish),
      () => this.#principalOf(socket) !== undefined,
    );
    const unsubscribe = this.#window.onChange(() => stream.wake());
    stream.wake();
    return () => {
      unsubscribe();
      stream.stop();
    };
  }
}

/** Sends one client what it follows, batch by batch, each when the one before is acknowledged. */
class Stream {
  readonly #socket: Socket;
  readonly #cursor: Cursor;
  readonly #isAllowed: () => boolean;
  #isWoken = false;
  #isSending = false;
  #isStopped = false;

  constructor(socket: Socket, cursor: Cursor, isAllowed: () => boolean) {
    this.#socket = socket;
    this.#cursor = cursor;
    this.#isAllowed = isAllowed;
  }

  /** Something is new. */
  wake(): void {
    if (this.#isWoken || this.#isStopped) return;
    this.#isWoken = true;
    setTimeout(() => void this.#send(), gatherFor).unref();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#isWoken && !this.#isStopped) {
        this.#isWoken = false;
        await this.#sendAll();
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.#socket.emit('refused', error instanceof Error ? error.message : 'dropped');
      this.#socket.disconnect(true);
    } finally {
      this.#isSending = false;
    }
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      const batch = await this.#cursor.next();
      if (batch === undefined || this.#isStopped) return;
      if (!this.#isAllowed()) throw new Error('the token is no longer valid');
      await this.#socket.timeout(acknowledgeWithin).emitWithAck('batch', batch);
    }
  }
}

/** One client's place in the sequences it follows. */
class Cursor {
  readonly #window: LiveWindow;
  readonly #wish: Follow;
  #event: number;
  #line: number;

  constructor(window: LiveWindow, wish: Follow) {
    this.#window = window;
    this.#wish = wish;
    this.#event = wish.events?.after ?? 0;
    this.#line = wish.log?.after ?? 0;
  }

  /** The next batch for this client, or undefined when it has everything. */
  async next(): Promise<Batch | undefined> {
    for (;;) {
      const seen = this.#wish.events ? this.#window.eventsAfter(this.#event, batchSize) : [];
      this.#event = seen.at(-1)?.number ?? this.#event;
      const events = seen.filter((event) => this.#isWanted(event));
      const { lines, dropped } = await this.#lines();
      if (events.length > 0 || lines.length > 0) return { events, lines, dropped, position: this.#event };
      if (seen.length === 0) return undefined;
    }
  }

  async #lines(): Promise<Pick<Batch, 'lines' | 'dropped'>> {
    const { operation, log } = this.#wish;
    if (operation === undefined || log === undefined) return { lines: [], dropped: 0 };
    const before = this.#line;
    const { lines, firstKept } = await this.#window.linesAfter(operation, before, batchSize);
    this.#line = lines.at(-1)?.number ?? before;
    return { lines, dropped: lines.length > 0 ? Math.max(0, firstKept - before - 1) : 0 };
  }

  #isWanted(event: { readonly cluster?: string; readonly operation?: string }): boolean {
    const { cluster, operation } = this.#wish;
    return (
      (cluster === undefined || event.cluster === cluster) &&
      (operation === undefined || event.operation === operation)
    );
  }
}

/** Programs send no Origin; a browser's must be the page that we served. */
function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  return headers.origin === undefined || headers.origin === `https://${headers.host ?? ''}`;
}
