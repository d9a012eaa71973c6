import type Database from 'better-sqlite3';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { optional, optionalJson } from './columns.ts';

/** What the daemon remembers of a machine that no provider can tell. */
export interface MachineRecord {
  readonly name: string;
  /** Highest incarnation ever asked for; 0 = never made by us. */
  readonly incarnation: number;
  /** Token of that incarnation. */
  readonly token?: string;
  /** Address that its newest create was asked for with, without a prefix length; absent where the provider gives them. */
  readonly address?: string;
  /** How to reach it, with its pinned host key. */
  readonly reference?: MachineRef;
}

interface Row {
  readonly name: string;
  readonly incarnation: number;
  readonly token: string | null;
  readonly reference: string | null;
  readonly address: string | null;
}

const recordOf = (row: Row): MachineRecord => ({
  name: row.name,
  incarnation: row.incarnation,
  ...optional('token', row.token),
  ...optional('address', row.address),
  ...optionalJson<'reference', MachineRef>('reference', row.reference),
});

/** Machines of clusters: pinned references and incarnations. */
export class Machines {
  readonly #database: Database.Database;
  readonly #incarnate: Database.Statement;
  readonly #pin: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#incarnate = database.prepare(
      `INSERT INTO machines (cluster, name, incarnation, token, address) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (cluster, name) DO UPDATE SET incarnation = excluded.incarnation, token = excluded.token,
         address = excluded.address,
         reference = CASE WHEN excluded.incarnation = incarnation THEN reference END
       WHERE excluded.incarnation >= incarnation`,
    );
    this.#pin = database.prepare(
      `INSERT INTO machines (cluster, name, incarnation, reference) VALUES (?, ?, 0, ?)
       ON CONFLICT (cluster, name) DO UPDATE SET reference = excluded.reference`,
    );
  }

  /** A create is about to be asked for. A new incarnation is another machine: the old one's pinned key is forgotten. */
  incarnate(
    cluster: string,
    {
      name,
      incarnation,
      token,
      address,
    }: Pick<MachineRecord, 'name' | 'incarnation' | 'address'> & { readonly token: string },
  ): void {
    this.#incarnate.run(cluster, name, incarnation, token, address ?? null);
  }

  pin(cluster: string, reference: MachineRef): void {
    this.#pin.run(cluster, reference.name, JSON.stringify(reference));
  }

  /** All of a cluster. */
  forget(cluster: string): void {
    this.#database.prepare('DELETE FROM machines WHERE cluster = ?').run(cluster);
  }

  list(cluster: string): readonly MachineRecord[] {
    return this.#database
      .prepare<[string], Row>('SELECT * FROM machines WHERE cluster = ? ORDER BY name')
      .all(cluster)
      .map(recordOf);
  }
}
