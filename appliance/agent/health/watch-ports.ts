import type { Ports } from '../../../provisioners/contract/ports.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import { KeptConnections } from '../kept-connections.ts';
import type { ClusterContext } from '../protocol/dispatch.ts';
import { questionWork } from '../questions.ts';
import type { PortsFactory } from '../work.ts';

/**
 * How long ports, and with them opened keys and the certificate made for the moment, are kept in memory: opening and
 * signing at every look would cost more than the look.
 */
const keptFor: Duration = 10 * 60_000;

/** The ports of one cluster that is watched, kept over some looks. */
export class WatchPorts {
  readonly #parts: { readonly ports: PortsFactory; readonly epoch: number };
  #kept: { readonly ports: Ports; readonly at: number; readonly connections: KeptConnections } | undefined;
  /** The present look's; the ports ask for it at every call. */
  #signal: AbortSignal = new AbortController().signal;

  constructor(parts: { readonly ports: PortsFactory; readonly epoch: number }) {
    this.#parts = parts;
  }

  /** Ports whose calls end with `signal`, until the next call of this. `now`: milliseconds since the epoch. */
  for(context: ClusterContext, signal: AbortSignal, now: number): Ports {
    this.#signal = signal;
    if (this.#kept !== undefined && now - this.#kept.at < keptFor) return this.#kept.ports;
    this.forget();
    const connections = new KeptConnections();
    const ports = this.#make(context, connections);
    this.#kept = { ports, at: now, connections };
    return ports;
  }

  /** Other keys, other machines: the next look makes new ones. */
  forget(): void {
    this.#kept?.connections.close();
    this.#kept = undefined;
  }

  #make(context: ClusterContext, connections: KeptConnections): Ports {
    const current = (): AbortSignal => this.#signal;
    return this.#parts.ports({
      ...questionWork(this.#parts, context),
      connections,
      get signal() {
        return current();
      },
    });
  }
}
