import { type Audit, auditRoot, hashOf } from '../state/audit.ts';

/** Number and hash of a row that somebody keeps elsewhere. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

/** What was found about the trail. */
export interface AuditVerification {
  /** Every row's hash is what its content and the row before say, and the trail holds the row it was held against. */
  readonly isWhole: boolean;
  readonly rows: number;
  readonly head: AuditHead;
  /** Number of the first row that does not fit. */
  readonly firstBroken?: number;
  /** Only when it was held against something: `missing` = the trail ends before it. */
  readonly against?: { readonly number: number; readonly verdict: 'matches' | 'missing' | 'differs' };
}

/** Rows looked at before others get their turn: some milliseconds of work. */
const atOnce = 500;

/**
 * Reads the whole chain. A chain alone cannot tell that its end was cut off, or that all of it was written anew: give
 * the head that was exported before.
 */
export async function verifyAudit(audit: Audit, known?: AuditHead): Promise<AuditVerification> {
  // What comes meanwhile is behind this head and looked at by the next verification.
  const head = audit.head();
  let previous = auditRoot;
  let number = 0;
  let firstBroken: number | undefined;
  while (number < head.number && firstBroken === undefined) {
    const rows = audit.list(number, atOnce);
    if (rows.length === 0) break;
    for (const row of rows) {
      number += 1;
      const isRight =
        row.number === number && row.previousHash === previous && row.hash === hashOf(number, previous, row);
      if (!isRight) {
        firstBroken = number;
        break;
      }
      previous = row.hash;
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  const against =
    known === undefined ? undefined : { number: known.number, verdict: verdictOn(audit, known) };
  return {
    isWhole: firstBroken === undefined && (against === undefined || against.verdict === 'matches'),
    rows: head.number,
    head,
    ...(firstBroken === undefined ? {} : { firstBroken }),
    ...(against === undefined ? {} : { against }),
  };
}

function verdictOn(audit: Audit, known: AuditHead): 'matches' | 'missing' | 'differs' {
  if (known.number === 0) return known.hash === auditRoot ? 'matches' : 'differs';
  const row = audit.get(known.number);
  if (row === undefined) return 'missing';
  return row.hash === known.hash ? 'matches' : 'differs';
}
