import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A relay on loopback between a person's browser and the daemon, to be pulled and plugged in again. Bytes pass as they
 * are: TLS is between browser and daemon. Chromium's own offline mode leaves open web sockets alone.
 */
export class Cable {
  /** `https://host:port` of the near end. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #isPulled = false;

  private constructor(server: Server, sockets: Set<Socket>) {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the relay has no port');
    this.url = `https://127.0.0.1:${address.port}`;
    this.#server = server;
    this.#sockets = sockets;
    server.on('connection', (near) => {
      if (this.#isPulled) near.destroy();
    });
  }

  /** @param url `https://127.0.0.1:port` of the daemon; it need not be there yet, or all the time. */
  static async to(url: string): Promise<Cable> {
    const port = Number(new URL(url).port);
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.pipe(other);
        // What ends at one end ends at the other, also when nobody listens there.
        one.on('error', () => one.destroy());
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Cable(server, sockets);
  }

  /** Cuts every connection, and lets no new one through. */
  pull(): void {
    this.#isPulled = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  plugIn(): void {
    this.#isPulled = false;
  }

  async close(): Promise<void> {
    this.pull();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
