import type { AuditDelivered, AuditDelivery } from '../../appliance/agent/protocol/outgoing.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import { Blocked, Problem, type ProblemReport, UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { auditRoot, type AuditRow } from '../state/audit.ts';
import type { AuditExportRecord } from '../state/audit-exports.ts';
import type { Clock } from '../state/clock.ts';
import { optional } from '../state/columns.ts';
import type { State } from '../state/state.ts';
import {
  type AuditReceiverSettings,
  auditReceiverSchema,
  placeOfReceiver,
  receiverOf,
} from './audit-receiver.ts';
import { Deliveries } from './deliveries.ts';
import type { Reach } from './directory.ts';

/** A receiver as it may be shown. */
export interface AuditReceiverView {
  readonly name: string;
  readonly settings: AuditReceiverSettings;
  readonly principal: string;
  readonly updatedAt: Instant;
  /** Number of the last row that it has. */
  readonly position: number;
  /** Rows that wait for it. */
  readonly lag: number;
  readonly deliveredAt?: Instant;
  readonly problem?: ProblemReport;
}

/** Rows in one delivery. */
const batch = 200;

/** What {@link AuditExports} stands on. */
export interface AuditExportParts {
  readonly state: State;
  readonly reach: Reach;
  readonly clock: Clock;
}

/**
 * Hands the audit trail to receivers outside, so that whoever rewrites it here is found out there. Each has a position
 * of its own that is kept; rows are sent until it is known that they arrived, and bear their number and hash.
 */
export class AuditExports {
  readonly #parts: AuditExportParts;
  readonly #deliveries: Deliveries;

  constructor(parts: AuditExportParts) {
    this.#parts = parts;
    this.#deliveries = new Deliveries(parts.clock, (name) => this.#deliverAll(name));
  }

  /** Goes on where each receiver was, now and after each new row. */
  start(): void {
    this.#deliveries.start();
    this.#parts.state.audit.onAppended(() => this.#wakeAll());
    this.#wakeAll();
  }

  stop(): void {
    this.#deliveries.stop();
  }

  list(): readonly AuditReceiverView[] {
    const { state } = this.#parts;
    const head = state.audit.head().number;
    return state.auditExports.list().map((record) => {
      const { name, principal, updatedAt, position, deliveredAt, problem } = record;
      return {
        name,
        settings: auditReceiverSchema.parse(record.config),
        principal,
        updatedAt,
        position,
        lag: Math.max(0, head - position),
        ...optional('deliveredAt', deliveredAt),
        ...optional('problem', problem),
      };
    });
  }

  /** Keeps a receiver and binds its secret to it. @throws UserProblem AUDIT-011, Blocked AUDIT-012 */
  set(name: string, settings: AuditReceiverSettings, principal: string): AuditReceiverView {
    const { state, clock } = this.#parts;
    this.#bindSecret(settings);
    const config = JSON.parse(JSON.stringify(settings)) as JsonObject;
    const updatedAt = new Date(clock.now()).toISOString();
    const head = state.audit.head();
    const start =
      settings.from === 'now'
        ? { position: head.number, positionHash: head.hash }
        : { position: 0, positionHash: auditRoot };
    state.auditExports.put({ name, config, principal, updatedAt }, start);
    this.#deliveries.tryAgain(name);
    const view = this.list().find((receiver) => receiver.name === name);
    if (view === undefined) throw new Error('a receiver that was just kept is gone');
    return view;
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    this.#deliveries.forget(name);
    return this.#parts.state.auditExports.remove(name);
  }

  #bindSecret(settings: AuditReceiverSettings): void {
    if (settings.type !== 'webhook') return;
    const { secrets } = this.#parts.state;
    const secret = secrets.get(settings.secretRef);
    if (secret === undefined)
      throw new UserProblem('AUDIT-011', `There is no secret named ${settings.secretRef}.`, {
        place: { field: 'secretRef' },
        remedy: `Give it with: remuda secret set ${settings.secretRef} --from-file hmac=FILE`,
      });
    this.#checkPlace(settings);
    secrets.bind(settings.secretRef, placeOfReceiver(settings));
  }

  #checkPlace(settings: AuditReceiverSettings): void {
    if (settings.type !== 'webhook') return;
    const destination = this.#parts.state.secrets.get(settings.secretRef)?.destination;
    if (destination === undefined || destination === placeOfReceiver(settings)) return;
    throw new Blocked('AUDIT-012', `The secret ${settings.secretRef} was not given for this server.`, {
      remedy: `Give it anew, as a sign that the server may have it: remuda secret set ${settings.secretRef} --from-file hmac=FILE`,
    });
  }

  #wakeAll(): void {
    // A row may be part of a transaction that is still being made: it is read when that is over.
    if (this.#deliveries.isStarted)
      setImmediate(() => {
        if (!this.#deliveries.isStarted) return;
        for (const { name } of this.#parts.state.auditExports.list()) this.#deliveries.wake(name);
      });
  }

  /** Delivers until nothing waits; false when a delivery did not come about. */
  async #deliverAll(name: string): Promise<boolean> {
    const { state } = this.#parts;
    for (;;) {
      const record = state.auditExports.get(name);
      if (record === undefined || !this.#deliveries.isStarted) return true;
      const rows = state.audit.list(record.position, batch);
      const problem =
        this.#cutOff(record) ?? (rows.length === 0 ? undefined : await this.#deliver(record, rows));
      // The process may have been stopped, and the state closed, while the agent was at it.
      if (!this.#deliveries.isStarted) return true;
      if (problem !== undefined) {
        state.auditExports.setProblem(name, problem);
        return false;
      }
      const last = rows.at(-1);
      if (last === undefined) return true;
      state.auditExports.advance(
        name,
        last.number,
        last.hash,
        new Date(this.#parts.clock.now()).toISOString(),
      );
    }
  }

  /** What the receiver has is not what is here: the trail was cut or rewritten. It must not be overwritten there. */
  #cutOff({ position, positionHash }: AuditExportRecord): ProblemReport | undefined {
    if (position === 0 || this.#parts.state.audit.get(position)?.hash === positionHash) return undefined;
    return {
      kind: 'blocked',
      code: 'AUDIT-013',
      summary: `Row ${position} of the audit trail, which this receiver has, is not here any more or is another.`,
      remedy:
        'Somebody cut or rewrote the trail, or the state was brought back from a backup. Compare with what the receiver holds.',
    };
  }

  async #deliver(record: AuditExportRecord, rows: readonly AuditRow[]): Promise<ProblemReport | undefined> {
    const { reach, state } = this.#parts;
    try {
      const settings = auditReceiverSchema.parse(record.config);
      this.#checkPlace(settings);
      const secret = settings.type === 'webhook' ? state.secrets.get(settings.secretRef) : undefined;
      const delivery: AuditDelivery = {
        receiver: receiverOf(settings),
        key: `audit-${rows[0]?.number ?? 0}-${rows.at(-1)?.hash ?? ''}`,
        rows: rows.map((row) => JSON.parse(JSON.stringify(row)) as Json),
        head: state.audit.head(),
        ...(secret === undefined ? {} : { secret: secret.sealed }),
      };
      const answer: AuditDelivered = await reach('audit.deliver', delivery);
      return answer.isDelivered ? undefined : answer.problem;
    } catch (error) {
      return problemOf(error);
    }
  }
}

/** The agent may be away, or be older than this question. */
function problemOf(error: unknown): ProblemReport {
  if (error instanceof Problem && error.report.kind !== 'fault') return error.report;
  return {
    kind: 'transient',
    code: 'AUDIT-014',
    summary: 'The agent could not hand the rows over.',
    remedy: 'See that the agent runs, and is of the release of the daemon.',
  };
}
