import type Database from 'better-sqlite3';
import type { AgentReport } from './protocol/dispatch.ts';

/** A report before it has its number. */
export type UnnumberedReport = AgentReport extends infer Each
  ? Each extends AgentReport
    ? Omit<Each, 'sequence'>
    : never
  : never;

/** How many unacknowledged reports are kept before log lines are left out (and counted): about 20 MB. */
const defaultBound = 100_000;

/**
 * Lines are gathered for 5 ms (DESIGN §5), longer on a disk that syncs slowly: a commit blocks this process, so at most
 * a fifth of the time may go into it, whatever the disk.
 */
const shortestGathering = 5;
const longestGathering = 400;

/** What every commit and acknowledgement runs, compiled once. */
const prepareStatements = (database: Database.Database) => ({
  insert: database.prepare<[number, string]>('INSERT INTO outbox (sequence, report) VALUES (?, ?)'),
  read: database.prepare<[number, number], { readonly report: string }>(
    'SELECT report FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?',
  ),
  forget: database.prepare<[number]>('DELETE FROM outbox WHERE sequence <= ?'),
  offset: database.prepare<[string], { readonly value: number }>(
    'SELECT value FROM offsets WHERE stream = ?',
  ),
  saveOffset: database.prepare<[string, number]>(
    'INSERT OR REPLACE INTO offsets (stream, value) VALUES (?, ?)',
  ),
  counter: database.prepare<[string], { readonly value: number }>('SELECT value FROM counter WHERE name = ?'),
  setCounter: database.prepare<[string, number]>(
    'INSERT OR REPLACE INTO counter (name, value) VALUES (?, ?)',
  ),
});

/**
 * Reports on their way to the daemon, in order, kept until acknowledged. Lines are gathered and committed together;
 * what must be durable at once ({@link commit}) takes everything gathered before it along.
 */
export class Outbox {
  readonly #database: Database.Database;
  readonly #bound: number;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #offsets = new Map<string, number>();
  #gathered: AgentReport[] = [];
  #gatheredOffsets = new Map<string, number>();
  #next: number;
  #kept: number;
  #leftOut = 0;
  /** How long lines are gathered before a commit, milliseconds. */
  #gathering = shortestGathering;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #onFlush: () => void = () => {};

  constructor(database: Database.Database, bound = defaultBound) {
    this.#database = database;
    this.#bound = bound;
    database.exec(`
      CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY, report TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS offsets (stream TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    `);
    this.#statements = prepareStatements(database);
    this.#next = this.#counter('sequence') + 1;
    this.#kept = (database.prepare('SELECT count(*) AS n FROM outbox').get() as { n: number }).n;
  }

  /** Called after each commit that added reports. */
  onFlush(handler: () => void): void {
    this.#onFlush = handler;
  }

  /**
   * Adds a report; durable within a few milliseconds on a good disk. Beyond the bound a log line is counted and not
   * kept, and what only tells of a moment (progress, waiting) is let go.
   */
  add(report: UnnumberedReport): void {
    if (this.#isClosed) return;
    const isFull = this.#kept + this.#gathered.length >= this.#bound;
    if (isFull && report.type === 'log') this.#leftOut += 1;
    if (isFull && ['log', 'progress', 'waiting'].includes(report.type)) return;
    if (this.#leftOut > 0 && !isFull) this.#sayWhatIsMissing(report);
    this.#number(report);
    this.#commitIn(this.#gathering);
  }

  /** Remembers up to which byte a machine's output was taken, durable together with the lines added before. */
  advance(stream: string, offset: number): void {
    this.#offsets.set(stream, offset);
    this.#gatheredOffsets.set(stream, offset);
  }

  /** The byte up to which the stream was taken; 0 at first. */
  offset(stream: string): number {
    const known = this.#offsets.get(stream);
    if (known !== undefined) return known;
    return this.#statements.offset.get(stream)?.value ?? 0;
  }

  /**
   * Makes everything added so far durable, and `last` after it, in one transaction with `also` (which gets the number
   * of `last`).
   * @throws the database's error, for example a full disk: then `last` was not added, and what was gathered is kept.
   */
  commit(last?: UnnumberedReport, also: (sequence: number) => void = () => {}): void {
    if (this.#isClosed) return;
    const next = this.#next;
    if (last !== undefined) this.#number(last);
    const reports = this.#gathered;
    const begun = performance.now();
    try {
      this.#database.transaction(() => this.#write(reports, also)).immediate();
    } catch (error) {
      if (last !== undefined) reports.pop();
      this.#next = next;
      throw error;
    }
    const spent = performance.now() - begun;
    this.#gathering = Math.min(longestGathering, Math.max(shortestGathering, 4 * spent));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
    this.#gatheredOffsets = new Map();
    this.#kept += reports.length;
    if (reports.length > 0) this.#onFlush();
  }

  /** Durable reports after the sequence, in order. */
  read(after: number, limit: number): AgentReport[] {
    return this.#statements.read.all(after, limit).map((row) => JSON.parse(row.report) as AgentReport);
  }

  /** Forgets reports up to and with the sequence. */
  forget(sequence: number): void {
    if (this.#isClosed) return;
    const { changes } = this.#statements.forget.run(sequence);
    this.#kept -= changes;
  }

  /** Moves everything behind `sequence` if numbering has not come so far; answers by how much. */
  startAfter(sequence: number): number {
    if (this.#isClosed || sequence < this.#next) return 0;
    this.commit();
    const shift = sequence;
    const rows = this.read(0, Number.MAX_SAFE_INTEGER);
    this.#database
      .transaction(() => {
        this.#database.exec('DELETE FROM outbox');
        for (const report of rows) {
          const moved = { ...report, sequence: report.sequence + shift };
          this.#statements.insert.run(moved.sequence, JSON.stringify(moved));
        }
        this.#setCounter('sequence', this.#next - 1 + shift);
      })
      .immediate();
    this.#next += shift;
    return shift;
  }

  /** Starts numbering from 1 again and forgets what was not delivered: a new epoch is a new conversation. */
  restart(): void {
    this.#database.exec('DELETE FROM outbox');
    this.#setCounter('sequence', 0);
    this.#next = 1;
    this.#kept = 0;
  }

  /** From now on nothing is written. What was gathered and not committed is lost, as in a kill. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #commitIn(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.commit();
      } catch {
        // A full disk: what was gathered is kept in memory (bounded) and tried again.
        this.#commitIn(1000);
      }
    }, milliseconds);
  }

  #write(reports: readonly AgentReport[], also: (sequence: number) => void): void {
    for (const report of reports) this.#statements.insert.run(report.sequence, JSON.stringify(report));
    for (const [stream, offset] of this.#gatheredOffsets) this.#statements.saveOffset.run(stream, offset);
    if (reports.length > 0) this.#setCounter('sequence', this.#next - 1);
    also(this.#next - 1);
  }

  #number(report: UnnumberedReport): void {
    this.#gathered.push({ ...report, sequence: this.#next });
    this.#next += 1;
  }

  #sayWhatIsMissing(next: UnnumberedReport): void {
    const text = `${this.#leftOut} log lines were left out here: the daemon was away and the agent's outbox was full.`;
    this.#leftOut = 0;
    this.#number({ type: 'log', at: next.at, key: next.key, text });
  }

  #counter(name: string): number {
    return this.#statements.counter.get(name)?.value ?? 0;
  }

  #setCounter(name: string, value: number): void {
    this.#statements.setCounter.run(name, value);
  }
}
