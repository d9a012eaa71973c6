import type { AlertRecord } from '../../state/alerts.ts';
import { AlertDeliveries, type AlertReceiverDoors } from './alert-delivery.ts';
import { Alerts } from './alerts.ts';
import type { HealthSummary } from './view.ts';
import { Health, type HealthDoors, type HealthParts } from './health.ts';

/** The site of the agent on the appliance itself, which speaks with servers that users name. */
const ownSite = 'local';

/** Everything about the health of clusters, for the API. */
export interface ClusterHealthDoors extends HealthDoors {
  /** A cluster in lists, with its health where somebody is to look after it. */
  shownWith<View extends { readonly uid: string }>(view: View): View & { readonly health?: HealthSummary };
  /** Alerts, newest first; those that are over too. */
  alerts(limit: number): readonly AlertRecord[];
  /** How many are not over. */
  firing(): number;
  readonly receivers: AlertReceiverDoors;
}

/** Health, alerts and their delivery, wired together. */
export class HealthRoom {
  readonly doors: ClusterHealthDoors;
  readonly #health: Health;
  readonly #alerts: Alerts;
  readonly #deliveries: AlertDeliveries;

  /** `ids`: a new unique id. */
  constructor(parts: HealthParts & { readonly ids: () => string }) {
    const { recorder, links, ids } = parts;
    const health = new Health(parts);
    const deliveries = new AlertDeliveries({ recorder, link: () => links(ownSite) });
    this.#health = health;
    this.#deliveries = deliveries;
    this.#alerts = new Alerts({ recorder, health, ids, onNotice: () => deliveries.wake() });
    this.doors = {
      get: (name) => health.get(name),
      summary: (uid) => health.summary(uid),
      history: (name, limit, before) => health.history(name, limit, before),
      watched: () => health.watched(),
      conditions: (uid) => health.conditions(uid),
      numbers: (uid) => health.numbers(uid),
      shownWith(view) {
        const summary = health.summary(view.uid);
        return summary === undefined ? view : { ...view, health: summary };
      },
      alerts: (limit) => recorder.state.alerts.list(limit),
      firing: () => recorder.state.alerts.listFiring().length,
      receivers: deliveries,
    };
    health.onBeat(() => this.#alerts.consider());
  }

  start(): void {
    this.#alerts.open();
    this.#health.start();
    this.#deliveries.start();
  }

  stop(): void {
    this.#health.stop();
    this.#deliveries.stop();
  }
}
