import Database from 'better-sqlite3';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { AttemptKey, Dispatch, Outcome } from './protocol.ts';
import { Outbox } from './outbox.ts';

/** An attempt on record. */
export type AttemptRecord =
  | { readonly state: 'open'; readonly dispatch: Dispatch }
  | { readonly state: 'ended'; readonly outcome: Outcome; readonly epoch: number; readonly sequence: number };

interface AttemptRow {
  readonly epoch: number;
  readonly dispatch: string | null;
  readonly outcome: string | null;
  readonly sequence: number | null;
}

/** How many ended attempts are remembered to answer late duplicates. */
const remembered = 20_000;

/**
 * The agent's own durable memory: attempts, receipts of acts, and the outbox. One SQLite file, synchronous=FULL: an
 * attempt is on disk before it starts, its end before it is told.
 */
export class AttemptStore {
  readonly outbox: Outbox;
  readonly #database: Database.Database;

  /** `:memory:` for tests that never restart. */
  constructor(path: string, outboxBound?: number) {
    this.#database = new Database(path);
    this.#database.pragma('journal_mode = WAL');
    this.#database.pragma('synchronous = FULL');
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS attempts (
        operation TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,
        dispatch TEXT, outcome TEXT, sequence INTEGER, acknowledged INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (operation, step, attempt)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS unacknowledged ON attempts (acknowledged) WHERE acknowledged = 0;
      CREATE TABLE IF NOT EXISTS receipts (
        operation TEXT NOT NULL, step TEXT NOT NULL, facts TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (operation, step)
      ) STRICT;
      CREATE TABLE IF NOT EXISTS epoch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value INTEGER NOT NULL) STRICT;
    `);
    this.outbox = new Outbox(this.#database, outboxBound);
    this.#database
      .prepare(
        `DELETE FROM attempts WHERE acknowledged = 1 AND rowid <=
           (SELECT coalesce(max(rowid), 0) FROM attempts) - ?`,
      )
      .run(remembered);
  }

  /** Epoch of the last run; 0 at first. */
  get epoch(): number {
    const row = this.#database.prepare('SELECT value FROM epoch').get() as { value: number } | undefined;
    return row?.value ?? 0;
  }

  /**
   * Takes up an epoch. A new one is a new conversation: numbers start again, and what an older epoch left open is
   * forgotten (the daemon sends it again under the new one).
   * @throws Error when it is older than the one on record.
   */
  adopt(epoch: number): void {
    const before = this.epoch;
    if (epoch < before)
      throw new Error(`epoch ${epoch} is older than ${before}, which this agent already had`);
    if (epoch === before) return;
    this.#database
      .transaction(() => {
        this.outbox.restart();
        this.#database.exec(
          'DELETE FROM attempts WHERE outcome IS NULL; UPDATE attempts SET acknowledged = 1',
        );
        this.#database.prepare('INSERT OR REPLACE INTO epoch VALUES (1, ?)').run(epoch);
      })
      .immediate();
  }

  /** The attempt, or undefined when it was never seen. */
  find(key: AttemptKey): AttemptRecord | undefined {
    const row = this.#database
      .prepare(
        'SELECT epoch, dispatch, outcome, sequence FROM attempts WHERE operation = ? AND step = ? AND attempt = ?',
      )
      .get(key.operation, key.step, key.attempt) as AttemptRow | undefined;
    if (row === undefined) return undefined;
    if (row.outcome === null)
      return { state: 'open', dispatch: JSON.parse(row.dispatch ?? 'null') as Dispatch };
    return {
      state: 'ended',
      outcome: JSON.parse(row.outcome) as Outcome,
      epoch: row.epoch,
      sequence: row.sequence ?? 0,
    };
  }

  /** Whether the report of the attempt's end arrived. */
  isAcknowledged(key: AttemptKey): boolean {
    const row = this.#database
      .prepare('SELECT acknowledged FROM attempts WHERE operation = ? AND step = ? AND attempt = ?')
      .get(key.operation, key.step, key.attempt) as { acknowledged: number } | undefined;
    return row?.acknowledged === 1;
  }

  /** Records the attempt as open, durable on return. `at` is when it started. */
  begin(dispatch: Dispatch, at: Instant): void {
    const { key, epoch } = dispatch;
    this.outbox.commit({ type: 'started', at, key }, () =>
      this.#put(key, { epoch, dispatch: JSON.stringify(dispatch), outcome: null, sequence: null }),
    );
  }

  /** Records how it ended together with the report of it, durable on return. Also for attempts that were refused. */
  end(key: AttemptKey, epoch: number, outcome: Outcome, at: Instant): void {
    this.outbox.commit({ type: 'ended', at, key, outcome }, (sequence) =>
      this.#put(key, { epoch, dispatch: null, outcome: JSON.stringify(outcome), sequence }),
    );
  }

  /** Everything up to the sequence arrived: reports are dropped, ended attempts need not be named again. */
  acknowledge(sequence: number): void {
    this.outbox.forget(sequence);
    this.#database
      .prepare(
        'UPDATE attempts SET acknowledged = 1 WHERE acknowledged = 0 AND outcome IS NOT NULL AND sequence <= ?',
      )
      .run(sequence);
  }

  /** Makes sure that no report has a number that the daemon already holds from another life of this agent. */
  startAfter(sequence: number): void {
    const shift = this.outbox.startAfter(sequence);
    if (shift > 0)
      this.#database
        .prepare(
          'UPDATE attempts SET sequence = sequence + ? WHERE acknowledged = 0 AND sequence IS NOT NULL',
        )
        .run(shift);
  }

  /** Dispatches of attempts that have not ended. */
  openDispatches(): Dispatch[] {
    const rows = this.#database
      .prepare('SELECT dispatch FROM attempts WHERE acknowledged = 0 AND outcome IS NULL ORDER BY rowid')
      .all() as { dispatch: string }[];
    return rows.map((row) => JSON.parse(row.dispatch) as Dispatch);
  }

  /** Keys of attempts whose end was not acknowledged. */
  unacknowledged(): AttemptKey[] {
    return this.#database
      .prepare('SELECT operation, step, attempt FROM attempts WHERE acknowledged = 0 ORDER BY rowid')
      .all() as AttemptKey[];
  }

  /** Facts of an act that was delivered, or undefined. */
  receipt(operation: string, step: string): Json | undefined {
    const row = this.#database
      .prepare('SELECT facts FROM receipts WHERE operation = ? AND step = ?')
      .get(operation, step) as { facts: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.facts) as Json);
  }

  /** Records that an act was delivered, durable on return. */
  putReceipt(operation: string, step: string, facts: Json, at: Instant): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO receipts (operation, step, facts, at) VALUES (?, ?, ?, ?)')
      .run(operation, step, JSON.stringify(facts), at);
  }

  close(): void {
    this.outbox.close();
    this.#database.close();
  }

  #put(key: AttemptKey, row: AttemptRow): void {
    this.#database
      .prepare(
        `INSERT INTO attempts (operation, step, attempt, epoch, dispatch, outcome, sequence, acknowledged)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0)
         ON CONFLICT (operation, step, attempt) DO UPDATE SET
           epoch = excluded.epoch, dispatch = excluded.dispatch, outcome = excluded.outcome,
           sequence = excluded.sequence, acknowledged = 0`,
      )
      .run(key.operation, key.step, key.attempt, row.epoch, row.dispatch, row.outcome, row.sequence);
  }
}
