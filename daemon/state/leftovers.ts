import type Database from 'better-sqlite3';
import { z } from 'zod';
import type { Instant } from '../../provisioners/contract/time.ts';

/** Something that a deleted cluster had, and that is still there or may be. */
export interface Leftover {
  /** Name of the cluster that is gone; another may be called so by now. */
  readonly cluster: string;
  /** What tags everything that was made for it. */
  readonly uid: string;
  readonly provider: string;
  /** The operation that deleted it, and who asked for that. */
  readonly operation: string;
  readonly principal: string;
  /** When its deletion was over. */
  readonly at: Instant;
  /** `kept` by a policy, or `left` because it could not be removed or looked at. */
  readonly list: 'kept' | 'left';
  readonly type: string;
  /** In the provider's words: what to look for there. */
  readonly id: string;
  readonly name: string;
  /** The policy that keeps it, or why it is left. */
  readonly why: string;
}

const entrySchema = z.object({ type: z.string(), id: z.string(), name: z.string() });
const proofSchema = z.object({
  kept: z.array(entrySchema.extend({ policy: z.string() })),
  left: z.array(entrySchema.extend({ why: z.string() })),
});

interface Row {
  readonly operation: string;
  readonly principal: string;
  readonly cluster: string;
  readonly uid: string;
  readonly provider: string;
  readonly facts: string;
  readonly ended_at: string;
}

/** Kind of the step whose receipts these are. */
const kind = 'teardown.prove';

/**
 * What deleted clusters have left behind, for whoever looks for it later. Read from the receipts of the steps that prove
 * deletions: they stay when the cluster is gone, and nothing is kept twice.
 */
export class Leftovers {
  readonly #list: Database.Statement<[string], Row>;

  constructor(database: Database.Database) {
    this.#list = database.prepare(
      `SELECT operations.id AS operation, operations.principal, clusters.name AS cluster, clusters.uid,
         clusters.provider, attempts.outcome ->> 'facts' AS facts, max(attempts.ended_at) AS ended_at
       FROM clusters JOIN operations ON operations.cluster = clusters.uid
         JOIN attempts ON attempts.operation = operations.id
       WHERE clusters.deleted_at IS NOT NULL AND attempts.kind = ?
         AND attempts.outcome ->> 'state' = 'succeeded'
       GROUP BY clusters.uid ORDER BY ended_at DESC`,
    );
  }

  /** Of all clusters that are gone, the last deleted first. */
  list(): readonly Leftover[] {
    return this.#list.all(kind).flatMap(({ facts, ended_at: at, ...about }) => {
      const { kept, left } = proofSchema.parse(JSON.parse(facts));
      const whole = { ...about, at };
      return [
        ...left.map(({ why, ...entry }) => ({ ...whole, ...entry, list: 'left' as const, why })),
        ...kept.map(({ policy, ...entry }) => ({ ...whole, ...entry, list: 'kept' as const, why: policy })),
      ];
    });
  }
}
