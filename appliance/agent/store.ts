import Database from 'better-sqlite3';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { AttemptKey, Dispatch, Outcome } from './protocol/dispatch.ts';
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
  readonly acknowledged: number;
}

/** How many ended attempts are remembered to answer late duplicates. */
const remembered = 20_000;

/** What is asked of the store all the time, compiled once: compiling anew took an eighth of the CPU of a create. */
const prepareStatements = (database: Database.Database) => ({
  epoch: database.prepare<[], { readonly value: number }>('SELECT value FROM epoch'),
  find: database.prepare<[string, string, number], AttemptRow>(
    `SELECT epoch, dispatch, outcome, sequence, acknowledged FROM attempts
       WHERE operation = ? AND step = ? AND attempt = ?`,
  ),
  put: database.prepare<[string, string, number, number, string | null, string | null, number | null]>(
    `INSERT INTO attempts (operation, step, attempt, epoch, dispatch, outcome, sequence, acknowledged)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT (operation, step, attempt) DO UPDATE SET
         epoch = excluded.epoch, dispatch = excluded.dispatch, outcome = excluded.outcome,
         sequence = excluded.sequence, acknowledged = 0`,
  ),
  acknowledge: database.prepare<[number]>(
    'UPDATE attempts SET acknowledged = 1 WHERE acknowledged = 0 AND outcome IS NOT NULL AND sequence <= ?',
  ),
  open: database.prepare<[], { readonly dispatch: string }>(
    'SELECT dispatch FROM attempts WHERE acknowledged = 0 AND outcome IS NULL ORDER BY rowid',
  ),
  unacknowledged: database.prepare<[], AttemptKey>(
    'SELECT operation, step, attempt FROM attempts WHERE acknowledged = 0 ORDER BY rowid',
  ),
  receipt: database.prepare<[string, string], { readonly facts: string }>(
    'SELECT facts FROM receipts WHERE operation = ? AND step = ?',
  ),
  putReceipt: database.prepare<[string, string, string, string]>(
    'INSERT OR REPLACE INTO receipts (operation, step, facts, at) VALUES (?, ?, ?, ?)',
  ),
});

/**
 * The agent's own durable memory: attempts, receipts of acts, and the outbox. One SQLite file, synchronous=FULL: an
 * attempt is on disk before it starts, its end before it is told.
 */
export class AttemptStore {
  readonly outbox: Outbox;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;

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
    this.#statements = prepareStatements(this.#database);
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
    return this.#statements.epoch.get()?.value ?? 0;
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
    const row = this.#statements.find.get(key.operation, key.step, key.attempt);
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
    return this.#statements.find.get(key.operation, key.step, key.attempt)?.acknowledged === 1;
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
    this.#statements.acknowledge.run(sequence);
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
    return this.#statements.open.all().map((row) => JSON.parse(row.dispatch) as Dispatch);
  }

  /** Keys of attempts whose end was not acknowledged. */
  unacknowledged(): AttemptKey[] {
    return this.#statements.unacknowledged.all();
  }

  /** Facts of an act that was delivered, or undefined. */
  receipt(operation: string, step: string): Json | undefined {
    const row = this.#statements.receipt.get(operation, step);
    return row === undefined ? undefined : (JSON.parse(row.facts) as Json);
  }

  /** Records that an act was delivered, durable on return. */
  putReceipt(operation: string, step: string, facts: Json, at: Instant): void {
    this.#statements.putReceipt.run(operation, step, JSON.stringify(facts), at);
  }

  close(): void {
    this.outbox.close();
    this.#database.close();
  }

  #put(key: AttemptKey, row: Omit<AttemptRow, 'acknowledged'>): void {
    const { operation, step, attempt } = key;
    const { epoch, dispatch, outcome, sequence } = row;
    this.#statements.put.run(operation, step, attempt, epoch, dispatch, outcome, sequence);
  }
}
