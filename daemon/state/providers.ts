import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A provider as it is kept. */
export interface ProviderRecord {
  readonly name: string;
  readonly type: string;
  readonly site: string;
  /** What secrets given for it are bound to. */
  readonly destination: string;
  readonly document: JsonObject;
  readonly principal: string;
  readonly updatedAt: Instant;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly site: string;
  readonly destination: string;
  readonly document: string;
  readonly principal: string;
  readonly updated_at: string;
}

const recordOf = (row: Row): ProviderRecord => ({
  name: row.name,
  type: row.type,
  site: row.site,
  destination: row.destination,
  document: JSON.parse(row.document) as JsonObject,
  principal: row.principal,
  updatedAt: row.updated_at,
});

/** Providers. */
export class Providers {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  put(record: ProviderRecord): void {
    this.#database
      .prepare(
        `INSERT INTO providers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET type = excluded.type,
           site = excluded.site, destination = excluded.destination, document = excluded.document,
           principal = excluded.principal, updated_at = excluded.updated_at`,
      )
      .run(
        record.name,
        record.type,
        record.site,
        record.destination,
        JSON.stringify(record.document),
        record.principal,
        record.updatedAt,
      );
  }

  get(name: string): ProviderRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM providers WHERE name = ?').get(name);
    return row && recordOf(row);
  }

  list(): readonly ProviderRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM providers ORDER BY name').all().map(recordOf);
  }
}
