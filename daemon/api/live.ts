import type { Server as HttpsServer } from 'node:https';
import { setImmediate as immediate } from 'node:timers/promises';
import { Server, type Socket } from 'socket.io';
import { isSameOrigin } from './caller.ts';
import { type LiveSubject, principalOf, type Viewer, viewerOf } from './live-rights.ts';
import { LiveWindow } from './live-window.ts';
import type { Services } from './route.ts';
import type { DraftPresence } from './schemas/drafts.ts';
import type { EngineEvent, LogLine } from './schemas/operation.ts';
import { type Batch, type Follow, followSchema, livePath } from './schemas/live.ts';

/** Events in one batch at most; some hundred kB. */
const batchEvents = 500;
/** Lines in one batch at most. */
const batchLines = 2000;
/** Characters of text in the lines of one batch: with one batch under way, all that a client can hold here. */
const batchText = 256 * 1024;
/** A client that has not acknowledged a batch for so long is gone or hung; it reconnects and goes on from its number. */
const acknowledgeWithin = 30_000;
/** A client says only which numbers it follows. */
const largestMessage = 16 * 1024;
/** Live connections one daemon serves at once; more are turned away with a reason. */
const mostClients = 500;

/** Sessions and tokens also end by themselves: everybody is looked at again so often, milliseconds. */
const lookAgainEvery = 5_000;
/** What a client is told who is nobody any more. */
const whyEnded = (socket: Socket): string =>
  'token' in socket.handshake.auth ? 'the token is no longer valid' : 'session-ended';

/** Live events and log lines: authenticated, bounded, replayed from a number. */
export class LiveEvents {
  readonly #services: Services;
  readonly #window: LiveWindow;
  readonly #acknowledgeWithin: number;
  #server: Server | undefined;
  #endings: (() => void)[] = [];

  /** `acknowledgeWithin`: milliseconds a client has to acknowledge a batch; tests shorten it. */
  constructor(services: Services, patience: { readonly acknowledgeWithin?: number } = {}) {
    this.#services = services;
    this.#acknowledgeWithin = patience.acknowledgeWithin ?? acknowledgeWithin;
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
      return next(principalOf(this.#services, socket) ? undefined : new Error('unauthenticated'));
    });
    this.#server.on('connection', (socket) => this.#welcome(socket));
    const { door, drafts } = this.#services;
    const looking = setInterval(() => this.#endStrangers(), lookAgainEvery).unref();
    this.#endings = [
      () => clearInterval(looking),
      door.sessions.onEnded(() => this.#endStrangers()),
      drafts.onPresence((presence) => this.#tellPresence(presence)),
    ];
  }

  async stop(): Promise<void> {
    this.#window.stop();
    for (const end of this.#endings) end();
    await this.#server?.close();
  }

  /** Ends the connections of those who are nobody any more, also when nothing happens that could be sent to them. */
  #endStrangers(): void {
    for (const socket of this.#server?.sockets.sockets.values() ?? []) {
      if (principalOf(this.#services, socket)) continue;
      socket.emit('refused', whyEnded(socket));
      socket.disconnect(true);
    }
  }

  #tellPresence(presence: DraftPresence): void {
    for (const socket of this.#server?.sockets.sockets.values() ?? []) {
      const principal = principalOf(this.#services, socket);
      if (principal && this.#services.drafts.mayKnowOf(principal, presence.draft))
        socket.emit('draft.presence', presence);
    }
  }

  #welcome(socket: Socket): void {
    this.#services.metrics.setClients(this.#server?.engine.clientsCount ?? 0);
    let stop: (() => void) | undefined;
    socket.on('follow', (wish: unknown, acknowledge?: unknown) => {
      const follow = followSchema.safeParse(wish);
      if (!follow.success) {
        socket.emit('refused', 'the request to follow is malformed');
        socket.disconnect(true);
        return;
      }
      stop?.();
      stop = this.#follow(socket, follow.data);
      // Whoever reads the present state after this answer misses nothing of what comes.
      if (typeof acknowledge === 'function') acknowledge();
    });
    socket.on('disconnect', () => {
      stop?.();
      this.#services.metrics.setClients(this.#server?.engine.clientsCount ?? 0);
    });
  }

  #follow(socket: Socket, wish: Follow): () => void {
    const stream = new Stream(socket, new Cursor(this.#window, wish), {
      viewer: () => viewerOf(this.#services, socket),
      acknowledgeWithin: this.#acknowledgeWithin,
    });
    const unsubscribe = this.#window.onChange(() => stream.wake());
    stream.wake();
    return () => {
      unsubscribe();
      stream.stop();
    };
  }
}

/** What a stream is held to. */
interface StreamTerms {
  /** Asked anew for each batch: a revoked token or an ended session ends the stream. */
  readonly viewer: () => Viewer | undefined;
  readonly acknowledgeWithin: number;
}

/** Sends one client what it follows, batch by batch, each when the one before is acknowledged. */
class Stream {
  readonly #socket: Socket;
  readonly #cursor: Cursor;
  readonly #terms: StreamTerms;
  #isWoken = false;
  #isSending = false;
  #isStopped = false;

  constructor(socket: Socket, cursor: Cursor, terms: StreamTerms) {
    this.#socket = socket;
    this.#cursor = cursor;
    this.#terms = terms;
  }

  /** Something is new. */
  wake(): void {
    if (this.#isWoken || this.#isStopped) return;
    this.#isWoken = true;
    void this.#send();
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
      const viewer = this.#terms.viewer();
      if (viewer === undefined) throw new Error(whyEnded(this.#socket));
      const batch = await this.#cursor.next(viewer);
      if (batch === undefined || this.#isStopped) return;
      // Reading took a while; what was taken away meanwhile is not sent any more.
      if (this.#terms.viewer() === undefined) throw new Error(whyEnded(this.#socket));
      // One batch under way and no more: a slow client's next one is made when this one has arrived.
      await this.#socket.timeout(this.#terms.acknowledgeWithin).emitWithAck('batch', batch);
    }
  }
}

/** One client's place in the sequences it follows. */
class Cursor {
  readonly #window: LiveWindow;
  readonly #wish: Follow;
  /** Undefined = from now on, and nothing has happened yet. */
  #event: number | undefined;
  #line: number;

  constructor(window: LiveWindow, wish: Follow) {
    this.#window = window;
    this.#wish = wish;
    this.#event = wish.events?.after ?? window.newestEvent;
    this.#line = wish.log?.after ?? 0;
  }

  /** The next batch for this client, or undefined when it has everything. */
  async next(viewer: Viewer): Promise<Batch | undefined> {
    for (;;) {
      const seen = this.#events();
      this.#event = seen.at(-1)?.number ?? this.#event;
      const events = seen.filter(
        (event) => this.#isWanted(event) && viewer.isAllowed({ ...event, kind: 'event' }),
      );
      const { lines, dropped } = await this.#lines(viewer);
      if (events.length > 0 || lines.length > 0)
        return { events, lines, dropped, position: this.#event ?? 0 };
      if (seen.length === 0) return undefined;
      // Thousands of other clusters' events may have been looked through for nothing: others get their turn.
      await immediate();
    }
  }

  #events(): readonly EngineEvent[] {
    if (this.#wish.events === undefined) return [];
    this.#event ??= this.#window.beforeOldestEvent;
    return this.#event === undefined ? [] : this.#window.eventsAfter(this.#event, batchEvents);
  }

  async #lines(viewer: Viewer): Promise<Pick<Batch, 'lines' | 'dropped'>> {
    const { operation, log } = this.#wish;
    if (operation === undefined || log === undefined || !viewer.isAllowed({ kind: 'log', operation }))
      return { lines: [], dropped: 0 };
    const before = this.#line;
    const { lines: found, firstKept } = await this.#window.linesAfter(operation, before, batchLines);
    const lines = withinText(found);
    this.#line = lines.at(-1)?.number ?? before;
    return { lines, dropped: lines.length > 0 ? Math.max(0, firstKept - before - 1) : 0 };
  }

  #isWanted(event: Omit<LiveSubject, 'kind'>): boolean {
    const { cluster, operation } = this.#wish;
    return (
      (cluster === undefined || event.cluster === cluster) &&
      (operation === undefined || event.operation === operation)
    );
  }
}

/** The first lines whose text makes no more than one batch; one at least. */
function withinText(lines: readonly LogLine[]): readonly LogLine[] {
  let text = 0;
  const end = lines.findIndex((line, index) => (text += line.text.length) > batchText && index > 0);
  return end < 0 ? lines : lines.slice(0, end);
}
