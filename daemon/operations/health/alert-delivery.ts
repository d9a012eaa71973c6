import type { AlertDelivery as Delivery, Delivered } from '../../../appliance/agent/protocol/outgoing.ts';
import type { Json, JsonObject } from '../../../provisioners/contract/json.ts';
import { Blocked, Problem, type ProblemReport, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import { Deliveries } from '../../access/deliveries.ts';
import type { AlertNotice, AlertReceiverRecord } from '../../state/alerts.ts';
import { optional } from '../../state/columns.ts';
import type { AgentLink } from '../link.ts';
import type { Recorder } from '../recorder.ts';
import { type AlertReceiverSettings, alertReceiverSchema, placeOfAlerts } from './alert-receiver.ts';

/** A receiver as it may be shown. */
export interface AlertReceiverView {
  readonly name: string;
  readonly settings: AlertReceiverSettings;
  readonly principal: string;
  readonly updatedAt: Instant;
  /** Notices that wait for it. */
  readonly lag: number;
  readonly deliveredAt?: Instant;
  /** Why the last delivery did not come about. */
  readonly problem?: ProblemReport;
}

/** Notices in one message. */
const batch = 50;

/** What {@link AlertDeliveries} stands on. */
export interface AlertDeliveryParts {
  readonly recorder: Recorder;
  /** Of the appliance's own site, whose agent speaks with servers that users name. */
  readonly link: () => Pick<AgentLink, 'reach'>;
}

/** The doors of the receivers, for the API. */
export type AlertReceiverDoors = Pick<AlertDeliveries, 'list' | 'set' | 'remove' | 'test'>;

/**
 * Hands alerts to webhooks, through the agent. Each receiver has a position of its own; a batch is sent, always the same
 * under the same id, until it is known that it arrived.
 */
export class AlertDeliveries {
  readonly #parts: AlertDeliveryParts;
  readonly #deliveries: Deliveries;

  constructor(parts: AlertDeliveryParts) {
    this.#parts = parts;
    this.#deliveries = new Deliveries(parts.recorder.clock, (name) => this.#deliverAll(name));
  }

  start(): void {
    this.#deliveries.start();
    this.wake();
  }

  stop(): void {
    this.#deliveries.stop();
  }

  /** There is something new to tell. */
  wake(): void {
    if (!this.#deliveries.isStarted) return;
    for (const { name } of this.#parts.recorder.state.alerts.listReceivers()) this.#deliveries.wake(name);
  }

  list(): readonly AlertReceiverView[] {
    const { alerts } = this.#parts.recorder.state;
    const last = alerts.lastNotice();
    return alerts.listReceivers().map((record) => ({
      name: record.name,
      settings: alertReceiverSchema.parse(record.config),
      principal: record.principal,
      updatedAt: record.updatedAt,
      lag: Math.max(0, last - record.position),
      ...optional('deliveredAt', record.deliveredAt),
      ...optional('problem', record.problem),
    }));
  }

  /** Keeps a receiver and binds its secret to it. @throws UserProblem ALERT-011, Blocked ALERT-012 */
  set(name: string, settings: AlertReceiverSettings, principal: string): AlertReceiverView {
    const { recorder } = this.#parts;
    const { secrets, alerts } = recorder.state;
    if (secrets.get(settings.secretRef) === undefined)
      throw new UserProblem('ALERT-011', `There is no secret named ${settings.secretRef}.`, {
        place: { field: 'secretRef' },
        remedy: `Give it with: remuda secret set ${settings.secretRef} --from-file hmac=FILE`,
      });
    this.#checkPlace(settings);
    secrets.bind(settings.secretRef, placeOfAlerts(settings));
    const config = JSON.parse(JSON.stringify(settings)) as JsonObject;
    alerts.putReceiver({ name, config, principal, updatedAt: recorder.now() });
    this.#deliveries.tryAgain(name);
    const view = this.list().find((receiver) => receiver.name === name);
    if (view === undefined) throw new Error('a receiver that was just kept is gone');
    return view;
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    this.#deliveries.forget(name);
    return this.#parts.recorder.state.alerts.removeReceiver(name);
  }

  /** Sends a message that says it is a test; undefined when there is no such receiver. Nothing is kept of it. */
  async test(name: string, id: string): Promise<Delivered | undefined> {
    const record = this.#parts.recorder.state.alerts.getReceiver(name);
    if (record === undefined) return undefined;
    const at = this.#parts.recorder.now();
    const notice = { id, at, cluster: '', isTest: true, alerts: [] };
    const problem = await this.#send(record, `test-${id}`, [notice]);
    return problem === undefined ? { isDelivered: true } : { isDelivered: false, problem };
  }

  #checkPlace(settings: AlertReceiverSettings): void {
    const destination = this.#parts.recorder.state.secrets.get(settings.secretRef)?.destination;
    if (destination === undefined || destination === placeOfAlerts(settings)) return;
    throw new Blocked('ALERT-012', `The secret ${settings.secretRef} was not given for this server.`, {
      remedy: `Give it anew, as a sign that the server may have it: remuda secret set ${settings.secretRef} --from-file hmac=FILE`,
    });
  }

  /** Delivers until nothing waits; false when a delivery did not come about. */
  async #deliverAll(name: string): Promise<boolean> {
    const { alerts } = this.#parts.recorder.state;
    for (;;) {
      const record = this.#deliveries.isStarted ? alerts.getReceiver(name) : undefined;
      if (record === undefined) return true;
      const { position, batchEnd } = record;
      const waiting = alerts
        .notices(position, batch)
        .filter(({ number }) => batchEnd === undefined || number <= batchEnd);
      const last = waiting.at(-1);
      if (last === undefined) {
        // A batch whose notices were dropped meanwhile, because there were too many.
        if (batchEnd !== undefined) alerts.advance(name, batchEnd);
        else return true;
        continue;
      }
      if (batchEnd === undefined) alerts.beginBatch(name, last.number);
      const wanted = waiting.flatMap((notice) =>
        wantedPart(notice, alertReceiverSchema.parse(record.config)),
      );
      const key = `${waiting[0]?.id ?? ''}-${last.number}`;
      const problem = wanted.length === 0 ? undefined : await this.#send(record, key, wanted);
      // The process may have been stopped, and the state closed, while the agent was at it.
      if (!this.#deliveries.isStarted) return true;
      if (problem !== undefined) {
        alerts.setProblem(name, problem);
        return false;
      }
      alerts.advance(name, last.number, wanted.length === 0 ? undefined : this.#parts.recorder.now());
    }
  }

  async #send(
    { config }: AlertReceiverRecord,
    key: string,
    notices: readonly Json[],
  ): Promise<ProblemReport | undefined> {
    try {
      const settings = alertReceiverSchema.parse(config);
      this.#checkPlace(settings);
      const secret = this.#parts.recorder.state.secrets.get(settings.secretRef);
      const link = this.#parts.link();
      if (secret === undefined || link.reach === undefined) return notSent;
      const { server, authority } = settings;
      const delivery: Delivery = {
        server,
        ...(authority === undefined ? {} : { authority }),
        secret: secret.sealed,
        key,
        body: { type: 'remuda.alerts', notices: [...notices] },
      };
      const answer = await link.reach('alert.deliver', delivery);
      return answer.isDelivered ? undefined : answer.problem;
    } catch (error) {
      return error instanceof Problem && error.report.kind !== 'fault' ? error.report : notSent;
    }
  }
}

/** The agent may be away, or be older than this question. */
const notSent: ProblemReport = {
  kind: 'transient',
  code: 'ALERT-013',
  summary: 'The agent could not hand the alerts over.',
  remedy: 'See that the agent runs, is of the release of the daemon, and that the secret is still there.',
};

/** What of a notice a receiver asked for; nothing when none of its alerts is. */
function wantedPart({ body }: AlertNotice, { severity, clusters }: AlertReceiverSettings): JsonObject[] {
  if (clusters !== undefined && !clusters.includes(String(body['cluster']))) return [];
  if (severity === 'warning') return [body];
  const alerts = (body['alerts'] as readonly JsonObject[]).filter(
    (alert) => alert['severity'] === 'critical',
  );
  return alerts.length === 0 ? [] : [{ ...body, alerts }];
}
