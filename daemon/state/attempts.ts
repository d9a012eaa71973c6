import type Database from 'better-sqlite3';
import type { AttemptKey, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional, optionalJson } from './columns.ts';

/** One attempt at one step. Without an outcome it may be running, whatever anybody believes. */
export interface AttemptRecord {
  readonly key: AttemptKey;
  /** Epoch of the agent it was given to. */
  readonly epoch: number;
  readonly kind: string;
  readonly version: number;
  /** The input with facts in the place of references: exactly what is sent, also when it is sent again. */
  readonly input: Json;
  readonly intentAt: Instant;
  /** When the first report about it was durable; until then the dispatch is sent again. */
  readonly reportedAt?: Instant;
  readonly endedAt?: Instant;
  readonly outcome?: Outcome;
}

interface Row {
  readonly operation: string;
  readonly step: string;
  readonly number: number;
  readonly epoch: number;
  readonly kind: string;
  readonly version: number;
  readonly input: string;
  readonly intent_at: string;
  readonly reported_at: string | null;
  readonly ended_at: string | null;
  readonly outcome: string | null;
}

const recordOf = (row: Row): AttemptRecord => ({
  key: { operation: row.operation, step: row.step, attempt: row.number },
  epoch: row.epoch,
  kind: row.kind,
  version: row.version,
  input: JSON.parse(row.input) as Json,
  intentAt: row.intent_at,
  ...optional('reportedAt', row.reported_at),
  ...optional('endedAt', row.ended_at),
  ...optionalJson<'outcome', Outcome>('outcome', row.outcome),
});

/** Attempts: the intent before the effect, the outcome before anything that depends on it. */
export class Attempts {
  readonly #add: Database.Statement;
  readonly #report: Database.Statement;
  readonly #end: Database.Statement;
  readonly #get: Database.Statement<[string, string, number], Row>;
  readonly #open: Database.Statement<[string], Row>;
  readonly #list: Database.Statement<[string], Row>;
  readonly #receipt: Database.Statement<[string, string], { found: number }>;
  readonly #newest: Database.Statement;
  readonly #begun: Database.Statement<[string, string], { found: number }>;
  readonly #since: Database.Statement<[string, string, string], { step: string }>;

  constructor(database: Database.Database) {
    this.#add = database.prepare(
      `INSERT INTO attempts (operation, step, number, epoch, kind, version, input, intent_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#report = database.prepare(
      `UPDATE attempts SET reported_at = coalesce(reported_at, ?) WHERE operation = ? AND step = ? AND number = ?`,
    );
    this.#end = database.prepare(
      `UPDATE attempts SET outcome = ?, ended_at = ?, reported_at = coalesce(reported_at, ?)
       WHERE operation = ? AND step = ? AND number = ? AND outcome IS NULL`,
    );
    this.#get = database.prepare('SELECT * FROM attempts WHERE operation = ? AND step = ? AND number = ?');
    this.#open = database.prepare(
      'SELECT * FROM attempts WHERE operation = ? AND outcome IS NULL ORDER BY intent_at',
    );
    this.#list = database.prepare(
      'SELECT * FROM attempts WHERE operation = ? ORDER BY intent_at, step, number',
    );
    this.#receipt = database.prepare(
      `SELECT 1 AS found FROM operations JOIN attempts ON attempts.operation = operations.id
       WHERE operations.cluster = ? AND attempts.kind = ? AND attempts.outcome ->> 'state' = 'succeeded' LIMIT 1`,
    );
    this.#newest = database.prepare(
      `SELECT attempts.step, attempts.outcome ->> 'state' AS state
       FROM operations JOIN attempts ON attempts.operation = operations.id
       WHERE operations.cluster = ? AND attempts.kind = ? ORDER BY attempts.intent_at, attempts.number`,
    );
    this.#since = database.prepare(
      `SELECT DISTINCT attempts.step FROM operations JOIN attempts ON attempts.operation = operations.id
       WHERE operations.cluster = ? AND attempts.kind = ? AND attempts.outcome ->> 'state' = 'succeeded'
         AND attempts.ended_at > ? ORDER BY attempts.step`,
    );
    this.#begun = database.prepare(
      `SELECT 1 AS found FROM operations JOIN attempts ON attempts.operation = operations.id
       WHERE operations.cluster = ? AND attempts.kind = ? LIMIT 1`,
    );
  }

  /** Whether a step of a kind ever ended well for a cluster (uid), in whatever operation. */
  hasReceipt(cluster: string, kind: string): boolean {
    return this.#receipt.get(cluster, kind) !== undefined;
  }

  /** Whether a step of a kind was ever begun for a cluster (uid), in whatever operation and however it ended. */
  hasBegun(cluster: string, kind: string): boolean {
    return this.#begun.get(cluster, kind) !== undefined;
  }

  /** Subjects of a cluster (uid) whose newest attempt at a step of a kind has not ended well. */
  unfinished(cluster: string, kind: string): readonly string[] {
    const rows = this.#newest.all(cluster, kind) as readonly {
      readonly step: string;
      readonly state: string | null;
    }[];
    // Oldest first, so that the newest of each step stays.
    const states = new Map(rows.map(({ step, state }) => [step, state]));
    return [...states].flatMap(([step, state]) =>
      state === 'succeeded' ? [] : [step.slice(step.indexOf('/') + 1)],
    );
  }

  /** Subjects of a cluster (uid) for which a step of a kind ended well after that moment. */
  succeededSince(cluster: string, kind: string, since: Instant): readonly string[] {
    return this.#since.all(cluster, kind, since).map(({ step }) => step.slice(step.indexOf('/') + 1));
  }

  /** @throws SqliteError SQLITE_CONSTRAINT_UNIQUE when the step has an open attempt: a step is never under way twice. */
  add(record: AttemptRecord): void {
    const { key } = record;
    const input = JSON.stringify(record.input);
    this.#add.run(
      key.operation,
      key.step,
      key.attempt,
      record.epoch,
      record.kind,
      record.version,
      input,
      record.intentAt,
    );
  }

  setReported(key: AttemptKey, at: Instant): void {
    this.#report.run(at, key.operation, key.step, key.attempt);
  }

  /** Answers false when there is no such open attempt: the outcome is a repeat and changes nothing. */
  end(key: AttemptKey, outcome: Outcome, at: Instant): boolean {
    return this.#end.run(JSON.stringify(outcome), at, at, key.operation, key.step, key.attempt).changes === 1;
  }

  get(key: AttemptKey): AttemptRecord | undefined {
    const row = this.#get.get(key.operation, key.step, key.attempt);
    return row && recordOf(row);
  }

  listOpen(operation: string): readonly AttemptRecord[] {
    return this.#open.all(operation).map(recordOf);
  }

  list(operation: string): readonly AttemptRecord[] {
    return this.#list.all(operation).map(recordOf);
  }
}
