import { io, type Socket } from 'socket.io-client';
import type { DraftPresence, EngineEvent, LogLine } from '../../../../daemon/api/types.ts';

/** Path of the live connection (daemon/api/schemas/live.ts). */
const livePath = '/api/v1/live';
/** Longest pause between two tries to reach a daemon that is away, milliseconds. */
const longestPause = 3_000;
/** Longest time a new connection may take to be made, milliseconds. */
const connectWithin = 5_000;

/** What to follow, after the last number held; see `followSchema` of the API. */
export interface Follow {
  /** Events after a number, or without one from now on. */
  readonly events?: { readonly after?: number };
  readonly cluster?: string;
  readonly operation?: string;
  readonly log?: { readonly after: number };
}

/** One batch; the next comes when this one is taken. */
export interface Batch {
  readonly events: readonly EngineEvent[];
  readonly lines: readonly LogLine[];
  /** Lines that the size cap dropped before the first of these. */
  readonly dropped: number;
  /** Number of the last event looked at; 0 = there was none yet. */
  readonly position: number;
}

/** What a follower is told. */
export interface LiveHandlers {
  batch(batch: Batch): void;
  /** Everything from now on comes: what is read over HTTP after this misses nothing. */
  following?(): void;
  /** The stream is cut at this time; it is taken up again where it was, unasked. */
  away?(since: number): void;
  back?(): void;
  /** Somebody opened or closed a draft. */
  presence?(presence: DraftPresence): void;
}

/**
 * A live stream that survives lost connections and restarts of the daemon: it goes on from the last number held, so
 * that nothing is lost and nothing comes twice.
 */
export class LiveStream {
  readonly #socket: Socket;
  readonly #handlers: LiveHandlers;
  #wish: Follow;
  #awaySince: number | undefined;
  #isStopped = false;

  constructor(wish: Follow, handlers: LiveHandlers) {
    this.#wish = wish;
    this.#handlers = handlers;
    this.#socket = io({
      path: livePath,
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 250,
      reconnectionDelayMax: longestPause,
      timeout: connectWithin,
    });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', () => this.#wentAway());
    this.#socket.on('connect_error', () => this.#wentAway());
    this.#socket.on('draft.presence', (presence: DraftPresence) => this.#handlers.presence?.(presence));
    this.#socket.on('batch', (batch: Batch, acknowledge: () => void) => this.#take(batch, acknowledge));
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket.disconnect();
  }

  #connected(): void {
    if (this.#awaySince !== undefined) this.#handlers.back?.();
    this.#awaySince = undefined;
    this.#socket.emit('follow', this.#wish, () => this.#handlers.following?.());
  }

  #wentAway(): void {
    if (this.#isStopped) return;
    if (this.#awaySince === undefined) {
      this.#awaySince = Date.now();
      this.#handlers.away?.(this.#awaySince);
    }
    // After a disconnect by the server socket.io does not come back by itself.
    if (!this.#socket.active) setTimeout(() => this.#isStopped || this.#socket.connect(), longestPause);
  }

  #take(batch: Batch, acknowledge: () => void): void {
    if (this.#isStopped) return;
    this.#handlers.batch(batch);
    const { events, log } = this.#wish;
    const lastLine = batch.lines.at(-1)?.number ?? log?.after;
    this.#wish = {
      ...this.#wish,
      ...(events === undefined || batch.position === 0 ? {} : { events: { after: batch.position } }),
      ...(log === undefined || lastLine === undefined ? {} : { log: { after: lastLine } }),
    };
    acknowledge();
  }
}
