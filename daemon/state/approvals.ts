import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';

/** One principal's word on one plan of an operation. */
export interface ApprovalRecord {
  readonly principal: string;
  readonly at: Instant;
}

/** Who agreed to which plan. A plan that changes has another number, and nobody has agreed to it yet. */
export class Approvals {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** A repeat by the same principal keeps the first. */
  add(
    operation: string,
    plan: { readonly number: number; readonly hash: string },
    { principal, at }: ApprovalRecord,
  ): void {
    this.#database
      .prepare('INSERT OR IGNORE INTO approvals VALUES (?, ?, ?, ?, ?)')
      .run(operation, plan.number, plan.hash, principal, at);
  }

  /** In the order in which they came. */
  list(operation: string, planNumber: number): readonly ApprovalRecord[] {
    return this.#database
      .prepare<[string, number], ApprovalRecord>(
        'SELECT principal, at FROM approvals WHERE operation = ? AND plan_number = ? ORDER BY at, principal',
      )
      .all(operation, planNumber);
  }
}
