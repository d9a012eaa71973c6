import { Snapshots } from '../../appliance/agent/snapshots.ts';
import { Watching } from '../../appliance/agent/health/watching.ts';
import type { Clock } from '../../appliance/agent/clock.ts';
import type { PortsFactory } from '../../appliance/agent/work.ts';
import type { HealthReport, WatchRequest } from '../../appliance/agent/protocol/watch.ts';
import type { HealthLink } from '../../daemon/operations/link.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { Wire } from './memory-link.ts';

/** The agent's own watching, over the model; what it fails at is kept for the test to see. */
export const modelWatching = (
  parts: { readonly ports: PortsFactory; readonly clock: Clock; readonly epoch: number },
  surprise: (problem: unknown) => void,
): Watching => new Watching({ ...parts, snapshots: new Snapshots(parts.clock), logger: { warn: surprise } });

/** How long a report waits for its answer, model time, ms. */
const patience = 10_000;

/** What goes over the wire about health, with its losses and repeats. */
export class WireHealth implements HealthLink {
  readonly #wire: Wire;
  #take: (report: HealthReport) => Promise<void> = async () => undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  watch(request: WatchRequest): void {
    const { agent } = this.#wire;
    this.#wire.send('daemon', 'watch', () => agent?.watching?.set(request));
  }

  onHealth(handler: (report: HealthReport) => Promise<void>): void {
    this.#take = handler;
  }

  /** The agent tells; resolves when the daemon has answered. */
  tell(report: HealthReport): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = this.#wire.later(patience, () => reject(new Transient('LINK-006', 'no answer')));
    this.#wire.send('agent', 'health', () => {
      this.#take(report).then(
        () =>
          this.#wire.send('daemon', 'health taken', () => {
            lost();
            resolve();
          }),
        // It could not be kept: it is not answered, so the agent tells it again.
        () => undefined,
      );
    });
    return promise;
  }
}
