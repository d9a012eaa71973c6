import type Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** What somebody did or tried. Holds no secret. */
export interface AuditEntry {
  readonly at: Instant;
  /** Id of the principal, or `anonymous`. */
  readonly principal: string;
  /** `cluster.apply`, `operation.cancel`, … */
  readonly verb: string;
  /** `cluster/prod-east`, `operation/01H…` */
  readonly object: string;
  readonly outcome: 'allowed' | 'refused' | 'failed';
  readonly detail: JsonObject;
}

/** A kept entry: its hash covers the entry, its number and the hash before. */
export interface AuditRow extends AuditEntry {
  readonly number: number;
  readonly previousHash: string;
  readonly hash: string;
}

interface Row {
  readonly number: number;
  readonly at: string;
  readonly principal: string;
  readonly verb: string;
  readonly object: string;
  readonly outcome: AuditEntry['outcome'];
  readonly detail: string;
  readonly previous_hash: string;
  readonly hash: string;
}

/** Hash before the first row: 64 zeros, as is custom in hash chains. */
export const auditRoot = '0'.repeat(64);

/** What a row's hash must be. */
export const hashOf = (number: number, previousHash: string, entry: AuditEntry): string =>
  createHash('sha256')
    .update(
      canonicalJson({
        number,
        previousHash,
        at: entry.at,
        principal: entry.principal,
        verb: entry.verb,
        object: entry.object,
        outcome: entry.outcome,
        detail: entry.detail,
      }),
    )
    .digest('hex');

const rowOf = (row: Row): AuditRow => ({
  number: row.number,
  at: row.at,
  principal: row.principal,
  verb: row.verb,
  object: row.object,
  outcome: row.outcome,
  detail: JSON.parse(row.detail) as JsonObject,
  previousHash: row.previous_hash,
  hash: row.hash,
});

/** The audit trail: rows chained by hash, never changed or removed (the schema refuses it). */
export class Audit {
  readonly #database: Database.Database;
  readonly #listeners = new Set<() => void>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Adds one row, durable when it returns; inside a journal write it is durable with that write. */
  append(entry: AuditEntry): AuditRow {
    const head = this.head();
    const number = head.number + 1;
    const row: AuditRow = {
      ...entry,
      number,
      previousHash: head.hash,
      hash: hashOf(number, head.hash, entry),
    };
    this.#database
      .prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        row.number,
        row.at,
        row.principal,
        row.verb,
        row.object,
        row.outcome,
        JSON.stringify(row.detail),
        row.previousHash,
        row.hash,
      );
    for (const listener of this.#listeners) listener();
    return row;
  }

  /** Calls a listener after each row. It must be quick and must not throw. */
  onAppended(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** One row by its number. */
  get(number: number): AuditRow | undefined {
    return this.list(number - 1, 1).find((row) => row.number === number);
  }

  /** Number and hash of the last row: what is exported so that a rewritten history is noticed. */
  head(): { readonly number: number; readonly hash: string } {
    return (
      this.#database
        .prepare<[], { number: number; hash: string }>(
          'SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1',
        )
        .get() ?? { number: 0, hash: auditRoot }
    );
  }

  /** Rows after a number, oldest first. */
  list(after: number, limit: number): readonly AuditRow[] {
    return this.#database
      .prepare<[number, number], Row>('SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?')
      .all(after, limit)
      .map(rowOf);
  }

  /** Number of the first row whose hash is not what its content says, or undefined when the chain is whole. */
  firstBroken(): number | undefined {
    let previousHash = auditRoot;
    let number = 0;
    for (const raw of this.#database.prepare<[], Row>('SELECT * FROM audit ORDER BY number').iterate()) {
      const row = rowOf(raw);
      number += 1;
      if (
        row.number !== number ||
        row.previousHash !== previousHash ||
        row.hash !== hashOf(number, previousHash, row)
      )
        return row.number;
      previousHash = row.hash;
    }
    return undefined;
  }
}
