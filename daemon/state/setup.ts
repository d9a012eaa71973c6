import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** Whether this server has an administrator yet. */
export interface SetupRecord {
  /** Hex SHA-256 of the set-up code that is good now. */
  readonly code?: string;
  readonly claimedAt?: Instant;
}

interface Row {
  readonly code: string | null;
  readonly claimed_at: string | null;
}

/** The one row about the first administrator. */
export class Setup {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  get(): SetupRecord {
    const row = this.#database.prepare<[], Row>('SELECT code, claimed_at FROM setup').get();
    return { ...optional('code', row?.code), ...optional('claimedAt', row?.claimed_at) };
  }

  /** Sets the code of a server that is not claimed yet; an older one is worth nothing from now on. */
  setCode(hash: string): void {
    this.#database.prepare('UPDATE setup SET code = ? WHERE claimed_at IS NULL').run(hash);
  }

  /**
   * Claims it, once for ever, in one transaction with what makes the administrator. Answers false (and makes nothing)
   * when somebody else was first. The code dies with it.
   */
  claim(at: Instant, makeAdministrator: () => void): boolean {
    return this.#database.transaction(() => {
      const { changes } = this.#database
        .prepare('UPDATE setup SET claimed_at = ?, code = NULL WHERE claimed_at IS NULL')
        .run(at);
      if (changes === 1) makeAdministrator();
      return changes === 1;
    })();
  }
}
