import { createHash } from 'node:crypto';
import { canonicalJson } from '../../provisioners/contract/json.ts';
import type { AuditRow, AuditRows } from './records.ts';

/** What is recorded: who did what to what, and what came of it. Never a value that came with the request. */
export type AuditEntry = Pick<AuditRow, 'principal' | 'verb' | 'object' | 'outcome' | 'reference'>;

/** Hash before the first row. */
const beginning = '0'.repeat(64);

/** Audit rows, each holding the hash of the one before: a changed or missing row breaks the chain. */
export class AuditTrail {
  readonly #rows: AuditRows;
  readonly #now: () => number;

  constructor(rows: AuditRows, now: () => number = Date.now) {
    this.#rows = rows;
    this.#now = now;
  }

  /** Appends a row, durably, before it returns. */
  record(entry: AuditEntry): AuditRow {
    const last = this.#rows.last();
    const row = {
      ...entry,
      number: (last?.number ?? 0) + 1,
      at: new Date(this.#now()).toISOString(),
      previous: last?.hash ?? beginning,
    };
    const whole = { ...row, hash: hashOf(row) };
    this.#rows.append(whole);
    return whole;
  }

  list(after: number, limit: number): readonly AuditRow[] {
    return this.#rows.list(after, limit);
  }

  /** Number of the first row that does not follow from the one before it; undefined when the chain is whole. */
  firstBroken(): number | undefined {
    let previous = beginning;
    let number = 0;
    for (;;) {
      const page = this.#rows.list(number, 1000);
      for (const row of page) {
        const { hash, ...rest } = row;
        if (row.number !== number + 1 || row.previous !== previous || hashOf(rest) !== hash)
          return number + 1;
        previous = hash;
        number = row.number;
      }
      if (page.length === 0) return undefined;
    }
  }
}

function hashOf(row: Omit<AuditRow, 'hash'>): string {
  return createHash('sha256')
    .update(canonicalJson({ ...row }))
    .digest('hex');
}
