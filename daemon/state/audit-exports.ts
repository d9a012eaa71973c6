import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional, optionalJson } from './columns.ts';

/** Where rows of the audit trail go, and how far they came. */
export interface AuditExportRecord {
  readonly name: string;
  readonly config: JsonObject;
  readonly principal: string;
  readonly updatedAt: Instant;
  /** Number and hash of the last row that the receiver has; 0 and an empty text before the first. */
  readonly position: number;
  readonly positionHash: string;
  readonly deliveredAt?: Instant;
  /** Why the last delivery did not come about; absent when it did. */
  readonly problem?: ProblemReport;
}

interface Row {
  readonly name: string;
  readonly config: string;
  readonly principal: string;
  readonly updated_at: string;
  readonly position: number;
  readonly position_hash: string;
  readonly delivered_at: string | null;
  readonly problem: string | null;
}

const recordOf = (row: Row): AuditExportRecord => ({
  name: row.name,
  config: JSON.parse(row.config) as JsonObject,
  principal: row.principal,
  updatedAt: row.updated_at,
  position: row.position,
  positionHash: row.position_hash,
  ...optional('deliveredAt', row.delivered_at),
  ...optionalJson<'problem', ProblemReport>('problem', row.problem),
});

/** Receivers of the audit trail by name. */
export class AuditExportRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Adds one, or changes its settings and leaves its position. */
  put(
    record: Pick<AuditExportRecord, 'name' | 'config' | 'principal' | 'updatedAt'>,
    start: { readonly position: number; readonly positionHash: string },
  ): void {
    const { name, config, principal, updatedAt } = record;
    this.#database
      .prepare(
        `INSERT INTO audit_exports VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)
         ON CONFLICT (name) DO UPDATE SET config = excluded.config, principal = excluded.principal,
           updated_at = excluded.updated_at, problem = NULL`,
      )
      .run(name, JSON.stringify(config), principal, updatedAt, start.position, start.positionHash);
  }

  get(name: string): AuditExportRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM audit_exports WHERE name = ?').get(name);
    return row && recordOf(row);
  }

  list(): readonly AuditExportRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM audit_exports ORDER BY name').all().map(recordOf);
  }

  /** The receiver has everything up to this row. */
  advance(name: string, position: number, positionHash: string, at: Instant): void {
    this.#database
      .prepare(
        'UPDATE audit_exports SET position = ?, position_hash = ?, delivered_at = ?, problem = NULL WHERE name = ?',
      )
      .run(position, positionHash, at, name);
  }

  /** Why it does not go on. */
  setProblem(name: string, problem: ProblemReport): void {
    this.#database
      .prepare('UPDATE audit_exports SET problem = ? WHERE name = ?')
      .run(JSON.stringify(problem), name);
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    return this.#database.prepare('DELETE FROM audit_exports WHERE name = ?').run(name).changes === 1;
  }
}
