import type Database from 'better-sqlite3';
import type { Clock } from './clock.ts';
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

/** How long a change may wait for others, milliseconds: a flood of guesses must not cost the others a sync each. */
const groupDelay = 1000;

/**
 * Limits of sign-in. The one who counts holds the number of rows down. What is put is durable a second later, or when
 * the state is closed.
 */
export class SignInLimitRecords {
  readonly #database: Database.Database;
  readonly #clock: Clock;
  /** Changes that are not durable yet; undefined = to be removed. */
  readonly #waiting = new Map<string, SignInLimitRecord | undefined>();
  #cancelFlush: (() => void) | undefined;

  constructor(database: Database.Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The longest quiet first. Those that were quiet since `before` are forgotten. */
  load(before: number): readonly SignInLimitRecord[] {
    this.flush();
    this.#database.prepare('DELETE FROM sign_in_limits WHERE at < ?').run(before);
    return this.#database
      .prepare<[], Row>('SELECT * FROM sign_in_limits ORDER BY at')
      .all()
      .map(({ not_before: notBefore, ...row }) => ({ ...row, notBefore }));
  }

  put(record: SignInLimitRecord): void {
    this.#change(record.key, record);
  }

  remove(key: string): void {
    this.#change(key, undefined);
  }

  /** Writes what waits, now. On a full disk nothing is kept: then the process remembers alone. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const changes = [...this.#waiting];
    this.#waiting.clear();
    if (changes.length === 0) return;
    const put = this.#database.prepare('INSERT OR REPLACE INTO sign_in_limits VALUES (?, ?, ?, ?, ?)');
    const remove = this.#database.prepare('DELETE FROM sign_in_limits WHERE key = ?');
    try {
      this.#database.transaction(() => {
        for (const [key, record] of changes)
          if (record === undefined) remove.run(key);
          else put.run(key, record.kind, record.amount, Math.round(record.at), Math.round(record.notBefore));
      })();
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
    }
  }

  #change(key: string, record: SignInLimitRecord | undefined): void {
    this.#waiting.set(key, record);
    this.#cancelFlush ??= this.#clock.after(groupDelay, () => this.flush());
  }
}
