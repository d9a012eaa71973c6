import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional, optionalJson } from './columns.ts';
import type { ClusterCondition } from './health.ts';

/** A condition that was bad for so long that people are told. */
export interface AlertRecord {
  readonly id: string;
  /** Uid of the cluster. */
  readonly cluster: string;
  /** Its name, also when it is gone. */
  readonly name: string;
  readonly condition: ClusterCondition;
  readonly firedAt: Instant;
  readonly resolvedAt?: Instant;
}

/** Something to tell: alerts of one cluster that fired or were resolved at the same moment. */
export interface AlertNotice {
  readonly number: number;
  readonly id: string;
  readonly at: Instant;
  readonly body: JsonObject;
}

/** Where alerts go, and how far they came. */
export interface AlertReceiverRecord {
  readonly name: string;
  readonly config: JsonObject;
  readonly principal: string;
  readonly updatedAt: Instant;
  /** Number of the last notice that it has or does not want. */
  readonly position: number;
  /** Last notice of the batch that is on its way: a repeat is the same batch. */
  readonly batchEnd?: number;
  readonly deliveredAt?: Instant;
  readonly problem?: ProblemReport;
}

interface AlertRow {
  readonly id: string;
  readonly cluster: string;
  readonly name: string;
  readonly condition: string;
  readonly fired_at: string;
  readonly resolved_at: string | null;
}

interface ReceiverRow {
  readonly name: string;
  readonly config: string;
  readonly principal: string;
  readonly updated_at: string;
  readonly position: number;
  readonly batch_end: number | null;
  readonly delivered_at: string | null;
  readonly problem: string | null;
}

/** Alerts and notices kept: those of some months. */
const kept = 5000;

const alertOf = (row: AlertRow): AlertRecord => ({
  id: row.id,
  cluster: row.cluster,
  name: row.name,
  condition: JSON.parse(row.condition) as ClusterCondition,
  firedAt: row.fired_at,
  ...optional('resolvedAt', row.resolved_at),
});

const receiverOf = (row: ReceiverRow): AlertReceiverRecord => ({
  name: row.name,
  config: JSON.parse(row.config) as JsonObject,
  principal: row.principal,
  updatedAt: row.updated_at,
  position: row.position,
  ...optional('batchEnd', row.batch_end),
  ...optional('deliveredAt', row.delivered_at),
  ...optionalJson<'problem', ProblemReport>('problem', row.problem),
});

/** Alerts, what is to be told of them, and to whom. */
export class AlertRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Keeps an alert, or what it has become. */
  fire(alert: Omit<AlertRecord, 'resolvedAt'>): void {
    const { id, cluster, name, condition, firedAt } = alert;
    this.#database
      .prepare(
        `INSERT INTO alerts (id, cluster, name, condition, fired_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET condition = excluded.condition`,
      )
      .run(id, cluster, name, JSON.stringify(condition), firedAt);
    this.#database
      .prepare(
        `DELETE FROM alerts WHERE resolved_at IS NOT NULL AND id IN (
           SELECT id FROM alerts ORDER BY fired_at DESC LIMIT -1 OFFSET ?)`,
      )
      .run(kept);
  }

  resolve(id: string, at: Instant): void {
    this.#database.prepare('UPDATE alerts SET resolved_at = ? WHERE id = ?').run(at, id);
  }

  /** Those that are not over, oldest first. */
  listFiring(): readonly AlertRecord[] {
    return this.#database
      .prepare<[], AlertRow>('SELECT * FROM alerts WHERE resolved_at IS NULL ORDER BY fired_at, id')
      .all()
      .map(alertOf);
  }

  /** Newest first. */
  list(limit: number): readonly AlertRecord[] {
    return this.#database
      .prepare<[number], AlertRow>('SELECT * FROM alerts ORDER BY fired_at DESC, id LIMIT ?')
      .all(limit)
      .map(alertOf);
  }

  addNotice({ id, at, body }: Omit<AlertNotice, 'number'>): void {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO alert_notices (id, at, body) VALUES (?, ?, ?)')
      .run(id, at, JSON.stringify(body));
    this.#database.prepare('DELETE FROM alert_notices WHERE number <= ?').run(Number(lastInsertRowid) - kept);
  }

  /** After a number, oldest first. */
  notices(after: number, limit: number): readonly AlertNotice[] {
    return this.#database
      .prepare<[number, number], { number: number; id: string; at: string; body: string }>(
        'SELECT * FROM alert_notices WHERE number > ? ORDER BY number LIMIT ?',
      )
      .all(after, limit)
      .map(({ body, ...notice }) => ({ ...notice, body: JSON.parse(body) as JsonObject }));
  }

  /** Number of the newest notice; 0 = none. */
  lastNotice(): number {
    return (
      this.#database
        .prepare<[], { last: number | null }>('SELECT max(number) AS last FROM alert_notices')
        .get()?.last ?? 0
    );
  }

  /** Adds a receiver, which gets what comes from now on, or changes the settings of one. */
  putReceiver(record: Pick<AlertReceiverRecord, 'name' | 'config' | 'principal' | 'updatedAt'>): void {
    const { name, config, principal, updatedAt } = record;
    this.#database
      .prepare(
        `INSERT INTO alert_receivers (name, config, principal, updated_at, position) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET config = excluded.config, principal = excluded.principal,
           updated_at = excluded.updated_at, batch_end = NULL, problem = NULL`,
      )
      .run(name, JSON.stringify(config), principal, updatedAt, this.lastNotice());
  }

  listReceivers(): readonly AlertReceiverRecord[] {
    return this.#database
      .prepare<[], ReceiverRow>('SELECT * FROM alert_receivers ORDER BY name')
      .all()
      .map(receiverOf);
  }

  getReceiver(name: string): AlertReceiverRecord | undefined {
    const row = this.#database
      .prepare<[string], ReceiverRow>('SELECT * FROM alert_receivers WHERE name = ?')
      .get(name);
    return row && receiverOf(row);
  }

  /** A batch goes out: whatever comes of it, a repeat is the same one. */
  beginBatch(name: string, end: number): void {
    this.#database.prepare('UPDATE alert_receivers SET batch_end = ? WHERE name = ?').run(end, name);
  }

  /** The receiver has everything up to this notice, or does not want it. `at`: when something was delivered. */
  advance(name: string, position: number, at?: Instant): void {
    this.#database
      .prepare(
        `UPDATE alert_receivers SET position = ?, batch_end = NULL, problem = NULL,
           delivered_at = coalesce(?, delivered_at) WHERE name = ?`,
      )
      .run(position, at ?? null, name);
  }

  setProblem(name: string, problem: ProblemReport): void {
    this.#database
      .prepare('UPDATE alert_receivers SET problem = ? WHERE name = ?')
      .run(JSON.stringify(problem), name);
  }

  /** Answers whether there was one. */
  removeReceiver(name: string): boolean {
    return this.#database.prepare('DELETE FROM alert_receivers WHERE name = ?').run(name).changes === 1;
  }
}
