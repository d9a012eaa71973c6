import { io, type Socket } from 'socket.io-client';
import { type Batch, livePath } from '../../../daemon/api/schemas/live.ts';
import type { FakeSite } from './fake-site.ts';

/** A client as the wizard and the CLI are: it goes on from the last number that it holds. */
export class Follower {
  /** Numbers of the lines it got, in their order. */
  readonly got: number[] = [];
  readonly connected: Promise<void>;
  readonly done: Promise<void>;
  connections = 0;
  readonly #socket: Socket;
  readonly #finish: () => void;

  /** @param wanted how many lines it waits for */
  constructor(site: FakeSite, operation: string, wanted: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    const { promise: connected, resolve: connect } = Promise.withResolvers<void>();
    this.connected = connected;
    this.#socket = io(site.url, {
      path: livePath,
      transports: ['websocket'],
      auth: { token: site.admin },
      ca: site.authority.certificate,
      reconnectionDelay: 1,
      reconnectionDelayMax: 20,
      forceNew: true,
    });
    this.#socket.on('connect', () => {
      this.connections += 1;
      connect();
      this.#socket.emit('follow', { operation, log: { after: this.got.at(-1) ?? 0 } });
    });
    this.#socket.on('batch', (batch: Batch, acknowledge: () => void) => {
      for (const line of batch.lines) this.got.push(line.number);
      acknowledge();
      if (this.got.length >= wanted) this.#finish();
    });
  }

  /** The line is cut, as by a network that goes away; the client comes back by itself. */
  cut(): void {
    if (this.#socket.connected) this.#socket.io.engine.close();
  }

  close(): void {
    this.#socket.disconnect();
  }
}
