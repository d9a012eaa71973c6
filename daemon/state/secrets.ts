import type Database from 'better-sqlite3';
import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** A secret of the user, sealed: the daemon cannot open it. */
export interface SecretRecord {
  readonly name: string;
  readonly sealed: Sealed;
  /** Names of its keys, for people; never the values. */
  readonly keys: readonly string[];
  /** What it was first used for; it goes nowhere else. */
  readonly destination?: string;
  readonly principal: string;
  readonly updatedAt: Instant;
}

interface Row {
  readonly name: string;
  readonly sealed: string;
  readonly keys: string;
  readonly destination: string | null;
  readonly principal: string;
  readonly updated_at: string;
}

const recordOf = (row: Row): SecretRecord => ({
  name: row.name,
  sealed: row.sealed,
  keys: JSON.parse(row.keys) as string[],
  principal: row.principal,
  updatedAt: row.updated_at,
  ...optional('destination', row.destination),
});

/** Sealed secrets by name. */
export class Secrets {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  put(record: SecretRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?, ?)')
      .run(
        record.name,
        record.sealed,
        JSON.stringify(record.keys),
        record.destination ?? null,
        record.principal,
        record.updatedAt,
      );
  }

  bind(name: string, destination: string): void {
    this.#database.prepare('UPDATE secrets SET destination = ? WHERE name = ?').run(destination, name);
  }

  /** The same values, sealed to others. */
  reseal(name: string, sealed: Sealed): void {
    this.#database.prepare('UPDATE secrets SET sealed = ? WHERE name = ?').run(sealed, name);
  }

  get(name: string): SecretRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM secrets WHERE name = ?').get(name);
    return row && recordOf(row);
  }

  list(): readonly SecretRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM secrets ORDER BY name').all().map(recordOf);
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    return this.#database.prepare('DELETE FROM secrets WHERE name = ?').run(name).changes === 1;
  }
}
