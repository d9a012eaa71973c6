import { Agent } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Duration } from '../../provisioners/contract/time.ts';

/**
 * How long a connection that nobody uses stays open: longer than the pause between two looks, and shorter than the 90 s
 * after which API servers close it themselves (net/http's default of Kubernetes' apiserver).
 */
const idle: Duration = 75_000;

/**
 * TLS connections that are used again: a handshake with a client certificate costs ten times what a question costs. For
 * whoever asks the same servers again and again; an attempt at a step opens its own.
 */
export class KeptConnections {
  readonly #agents = new Map<string, Agent>();

  /** The connections to one server for one identity. `open` makes a new one. */
  to(server: string, open: () => Promise<TLSSocket>): Agent {
    const known = this.#agents.get(server);
    if (known !== undefined) return known;
    const agent = new Agent({ keepAlive: true, maxSockets: 2, timeout: idle });
    agent.createConnection = (_options, done) => {
      void handOver(open, done);
      return undefined;
    };
    this.#agents.set(server, agent);
    return agent;
  }

  /** Closes all of them. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

type Done = (error: Error | null, socket: TLSSocket) => void;

/** Opens a connection for an agent of Node's, which wants to be called back. */
async function handOver(open: () => Promise<TLSSocket>, done: Done | undefined): Promise<void> {
  let socket: TLSSocket;
  try {
    socket = await open();
  } catch (error) {
    // Node looks at the error first; its type asks for a socket beside it.
    done?.(error instanceof Error ? error : new Error(String(error)), undefined as never);
    return;
  }
  done?.(null, socket);
}
