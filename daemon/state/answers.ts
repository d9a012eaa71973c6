import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';

/** The answer that a request with an idempotency key got. */
export interface AnswerRecord {
  readonly key: string;
  readonly principal: string;
  /** Digest of the request: the same key with another request is a mistake of the caller. */
  readonly request: string;
  /** JSON text. */
  readonly answer: string;
  readonly at: Instant;
}

/** Answers kept; a repeat comes within minutes, and 10,000 are months of an ordinary site. */
const keptAnswers = 10_000;

/** Remembered answers, so that a repeated request starts nothing twice. */
export class Answers {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  add(record: AnswerRecord): void {
    this.#database
      .prepare('INSERT INTO answers VALUES (?, ?, ?, ?, ?)')
      .run(record.key, record.principal, record.request, record.answer, record.at);
    this.#database
      .prepare('DELETE FROM answers WHERE rowid <= (SELECT max(rowid) FROM answers) - ?')
      .run(keptAnswers);
  }

  get(key: string, principal: string): AnswerRecord | undefined {
    return this.#database
      .prepare<[string, string], AnswerRecord>('SELECT * FROM answers WHERE key = ? AND principal = ?')
      .get(key, principal);
  }
}
