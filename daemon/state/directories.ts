import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A directory of people. Holds no secret: only the name of one. */
export interface DirectoryRecord {
  readonly name: string;
  /** What people choose by when they sign in. */
  readonly title: string;
  readonly config: JsonObject;
  readonly principal: string;
  readonly updatedAt: Instant;
}

interface Row {
  readonly name: string;
  readonly title: string;
  readonly config: string;
  readonly principal: string;
  readonly updated_at: string;
}

const recordOf = (row: Row): DirectoryRecord => ({
  name: row.name,
  title: row.title,
  config: JSON.parse(row.config) as JsonObject,
  principal: row.principal,
  updatedAt: row.updated_at,
});

/** Directories by name. */
export class DirectoryRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  put({ name, title, config, principal, updatedAt }: DirectoryRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO directories VALUES (?, ?, ?, ?, ?)')
      .run(name, title, JSON.stringify(config), principal, updatedAt);
  }

  get(name: string): DirectoryRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM directories WHERE name = ?').get(name);
    return row && recordOf(row);
  }

  list(): readonly DirectoryRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM directories ORDER BY name').all().map(recordOf);
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    return this.#database.prepare('DELETE FROM directories WHERE name = ?').run(name).changes === 1;
  }
}
