import type Database from 'better-sqlite3';
import { isOutOfSpace } from './reserve.ts';

/** What is counted of one account, address or device. Times in milliseconds since 1970. */
export interface SignInLimitRecord {
  /** Keyed hash: names are typed by strangers, who now and then type a password there. */
  readonly key: string;
  readonly kind: 'tries' | 'failures';
  /** Tries that are left, or failures in a row. */
  readonly amount: number;
  readonly at: number;
  /** Strangers are told to come back until then; 0 = no wait. */
  readonly notBefore: number;
}

interface Row extends Omit<SignInLimitRecord, 'notBefore'> {
  readonly not_before: number;
}

/** Limits of sign-in. The one who counts holds the number of rows down. */
export class SignInLimitRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The longest quiet first. Those that were quiet since `before` are forgotten. */
  load(before: number): readonly SignInLimitRecord[] {
    this.#database.prepare('DELETE FROM sign_in_limits WHERE at < ?').run(before);
    return this.#database
      .prepare<[], Row>('SELECT * FROM sign_in_limits ORDER BY at')
      .all()
      .map(({ not_before: notBefore, ...row }) => ({ ...row, notBefore }));
  }

  /** On a full disk nothing is kept: then the process remembers alone. */
  put({ key, kind, amount, at, notBefore }: SignInLimitRecord): void {
    try {
      this.#database
        .prepare('INSERT OR REPLACE INTO sign_in_limits VALUES (?, ?, ?, ?, ?)')
        .run(key, kind, amount, Math.round(at), Math.round(notBefore));
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
    }
  }

  remove(key: string): void {
    this.#database.prepare('DELETE FROM sign_in_limits WHERE key = ?').run(key);
  }
}
