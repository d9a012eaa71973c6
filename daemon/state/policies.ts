import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A policy that somebody applied. */
export interface PolicyRecord {
  readonly name: string;
  readonly document: JsonObject;
  readonly principal: string;
  readonly updatedAt: Instant;
}

interface Row {
  readonly name: string;
  readonly document: string;
  readonly principal: string;
  readonly updated_at: string;
}

const recordOf = (row: Row): PolicyRecord => ({
  name: row.name,
  document: JSON.parse(row.document) as JsonObject,
  principal: row.principal,
  updatedAt: row.updated_at,
});

/** Policies by name, and the names of shipped ones that were removed. */
export class PolicyRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Keeps one; a shipped one of this name that was removed is in force again, in this form. */
  put({ name, document, principal, updatedAt }: PolicyRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?)')
      .run(name, JSON.stringify(document), principal, updatedAt);
    this.#database.prepare('DELETE FROM removed_policies WHERE name = ?').run(name);
  }

  list(): readonly PolicyRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM policies ORDER BY name').all().map(recordOf);
  }

  /** Removes one, and remembers it, so that a shipped one of this name does not come back. */
  remove(name: string, at: Instant): void {
    this.#database.prepare('DELETE FROM policies WHERE name = ?').run(name);
    this.#database.prepare('INSERT OR REPLACE INTO removed_policies VALUES (?, ?)').run(name, at);
  }

  /** Names of policies that were removed. */
  removed(): readonly string[] {
    return this.#database
      .prepare<[], { name: string }>('SELECT name FROM removed_policies ORDER BY name')
      .all()
      .map(({ name }) => name);
  }
}
