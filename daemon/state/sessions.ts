import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A browser that is signed in: only the hash of its secret is kept. */
export interface SessionRecord {
  /** Hex SHA-256 of the cookie's value. */
  readonly hash: string;
  /** Short public name for lists and ending. */
  readonly id: string;
  readonly principal: string;
  readonly createdAt: Instant;
  readonly lastSeenAt: Instant;
  readonly idleEndsAt: Instant;
  readonly endsAt: Instant;
  readonly address: string;
  readonly browser: string;
}

interface Row {
  readonly hash: string;
  readonly id: string;
  readonly principal: string;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly idle_ends_at: string;
  readonly ends_at: string;
  readonly address: string;
  readonly browser: string;
}

const recordOf = (row: Row): SessionRecord => ({
  hash: row.hash,
  id: row.id,
  principal: row.principal,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  idleEndsAt: row.idle_ends_at,
  endsAt: row.ends_at,
  address: row.address,
  browser: row.browser,
});

/** Sessions. An ended one is gone; who signed in when stands in the audit. */
export class Sessions {
  readonly #database: Database.Database;
  readonly #find: Database.Statement<[string], Row>;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#find = database.prepare('SELECT * FROM sessions WHERE hash = ?');
  }

  add(record: SessionRecord): void {
    this.#database
      .prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        record.hash,
        record.id,
        record.principal,
        record.createdAt,
        record.lastSeenAt,
        record.idleEndsAt,
        record.endsAt,
        record.address,
        record.browser,
      );
  }

  /** The session with this hash, also one whose time is over: the caller judges. */
  find(hash: string): SessionRecord | undefined {
    const row = this.#find.get(hash);
    return row && recordOf(row);
  }

  list(principal?: string): readonly SessionRecord[] {
    return this.#database
      .prepare<[string | null], Row>(
        'SELECT * FROM sessions WHERE principal = coalesce(?, principal) ORDER BY created_at DESC',
      )
      .all(principal ?? null)
      .map(recordOf);
  }

  renew(hash: string, seenAt: Instant, idleEndsAt: Instant): void {
    this.#database
      .prepare('UPDATE sessions SET last_seen_at = ?, idle_ends_at = ? WHERE hash = ?')
      .run(seenAt, idleEndsAt, hash);
  }

  /** Answers whether there was such a session. */
  end(id: string): boolean {
    return this.#database.prepare('DELETE FROM sessions WHERE id = ?').run(id).changes === 1;
  }

  /** Ends all of a principal but the one that is named. */
  endAll(principal: string, but?: string): void {
    this.#database.prepare('DELETE FROM sessions WHERE principal = ? AND id <> ?').run(principal, but ?? '');
  }

  /** Forgets those whose time is over. */
  prune(now: Instant): void {
    this.#database.prepare('DELETE FROM sessions WHERE idle_ends_at < ? OR ends_at < ?').run(now, now);
  }
}
