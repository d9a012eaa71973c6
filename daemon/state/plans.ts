import type Database from 'better-sqlite3';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** A plan that belongs to an operation. */
export interface PlanRecord {
  readonly operation: string;
  /** From 1; every resume plans again, one higher. */
  readonly number: number;
  readonly hash: string;
  readonly plan: Plan;
  readonly at: Instant;
}

/** A plan that somebody looked at and may want to run exactly as it is. */
export interface ReviewRecord {
  readonly hash: string;
  readonly cluster: string;
  readonly plan: Plan;
  readonly at: Instant;
}

/** How many reviewed plans are remembered, so that a refusal can say what changed since. */
const keptReviews = 100;

/** Plans of operations, and plans that were reviewed. */
export class Plans {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  add(record: PlanRecord): void {
    this.#database
      .prepare('INSERT INTO plans VALUES (?, ?, ?, ?, ?)')
      .run(record.operation, record.number, record.hash, JSON.stringify(record.plan), record.at);
  }

  get(operation: string, number: number): PlanRecord | undefined {
    const row = this.#database
      .prepare<[string, number], { hash: string; plan: string; at: string }>(
        'SELECT hash, plan, at FROM plans WHERE operation = ? AND number = ?',
      )
      .get(operation, number);
    return row && { operation, number, hash: row.hash, at: row.at, plan: JSON.parse(row.plan) as Plan };
  }

  hash(operation: string, number: number): string | undefined {
    return this.#database
      .prepare<[string, number], { hash: string }>(
        'SELECT hash FROM plans WHERE operation = ? AND number = ?',
      )
      .get(operation, number)?.hash;
  }

  addReview(record: ReviewRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO reviews VALUES (?, ?, ?, ?)')
      .run(record.hash, record.cluster, JSON.stringify(record.plan), record.at);
    this.#database
      .prepare(
        'DELETE FROM reviews WHERE rowid NOT IN (SELECT rowid FROM reviews ORDER BY rowid DESC LIMIT ?)',
      )
      .run(keptReviews);
  }

  getReview(hash: string): ReviewRecord | undefined {
    const row = this.#database
      .prepare<[string], { cluster: string; plan: string; at: string }>(
        'SELECT cluster, plan, at FROM reviews WHERE hash = ?',
      )
      .get(hash);
    return row && { hash, cluster: row.cluster, at: row.at, plan: JSON.parse(row.plan) as Plan };
  }
}
