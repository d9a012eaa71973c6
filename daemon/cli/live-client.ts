import { io, type Socket } from 'socket.io-client';
import { type Batch, batchSchema, type Follow, livePath } from '../api/schemas/live.ts';
import type { Client } from './client.ts';
import { plainFailure } from './exit.ts';

/** Longest pause between two tries to reach a daemon that is away. */
const longestPause = 3_000;

/** What a follower is told. */
export interface LiveHandlers {
  batch(batch: Batch): void;
  /** The stream is cut; it is taken up again where it was, unasked. */
  away(since: number): void;
  back(): void;
}

/** A live stream that survives lost connections and restarts of the daemon: it goes on from the last number held. */
export class LiveClient {
  readonly #socket: Socket;
  readonly #handlers: LiveHandlers;
  #wish: Follow;
  #awaySince: number | undefined;
  #isStopped = false;
  #end: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(client: Client, wish: Follow, handlers: LiveHandlers) {
    this.#wish = wish;
    this.#handlers = handlers;
    this.#socket = io(client.server, {
      path: livePath,
      transports: ['websocket'],
      auth: { token: client.connection.secret },
      ca: client.authority,
      reconnectionDelay: 250,
      reconnectionDelayMax: longestPause,
      autoConnect: false,
    });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', () => this.#wentAway());
    this.#socket.on('connect_error', (error) => this.#refused(error));
    this.#socket.on('batch', (data: unknown, acknowledge: () => void) => this.#take(data, acknowledge));
  }

  /** Follows until {@link stop}. @throws CommandFailure when the server refuses the token. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
      this.#socket.connect();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket.disconnect();
    this.#end?.resolve();
  }

  #connected(): void {
    if (this.#awaySince !== undefined) this.#handlers.back();
    this.#awaySince = undefined;
    this.#socket.emit('follow', this.#wish);
  }

  #wentAway(): void {
    if (this.#isStopped) return;
    if (this.#awaySince === undefined) {
      this.#awaySince = Date.now();
      this.#handlers.away(this.#awaySince);
    }
    // After a disconnect by the server socket.io does not come back by itself.
    if (!this.#socket.active) setTimeout(() => this.#socket.connect(), longestPause).unref();
  }

  #refused(error: Error): void {
    if (error.message !== 'unauthenticated') return this.#wentAway();
    this.#socket.disconnect();
    this.#end?.reject(
      plainFailure(
        'ACCESS-001',
        'the server does not take the token',
        'Run `remuda login`, or set REMUDA_TOKEN anew.',
      ),
    );
  }

  #take(data: unknown, acknowledge: () => void): void {
    const batch = batchSchema.parse(data);
    this.#handlers.batch(batch);
    const { events, log, ...wish } = this.#wish;
    const lastLine = batch.lines.at(-1)?.number ?? log?.after;
    this.#wish = {
      ...wish,
      ...(events === undefined ? {} : { events: { after: batch.position } }),
      ...(log === undefined || lastLine === undefined ? {} : { log: { after: lastLine } }),
    };
    acknowledge();
  }
}
