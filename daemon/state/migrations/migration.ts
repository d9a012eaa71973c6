import type Database from 'better-sqlite3';

/** One step of the schema's history. Runs in one transaction with the rise of the schema number. */
export interface Migration {
  /** Schema number after it, from 1 without gaps. Never changed once released. */
  readonly number: number;
  /** Why it was made, for the log. */
  readonly title: string;
  migrate(database: Database.Database): void;
}
