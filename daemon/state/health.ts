import type Database from 'better-sqlite3';
import type { HealthCondition, HealthNumbers, HealthType } from '../../provisioners/contract/health.ts';
import type { ObservedDrift } from '../../provisioners/contract/observed.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** Conditions that are kept: the agent's, and whether it is there, which only the daemon knows. */
export type ClusterConditionType = HealthType | 'AgentConnected' | 'MachinesFenced' | 'BackupsMade';

/** A condition as it is kept, with the moment since which it is in its state. */
export interface ClusterCondition extends Omit<HealthCondition, 'type'> {
  readonly type: ClusterConditionType;
  readonly lastTransitionTime: Instant;
}

/** A change of state in the past. */
export interface HealthTransition {
  readonly number: number;
  readonly at: Instant;
  /** State before; absent for the first look. */
  readonly from?: HealthCondition['status'];
  readonly condition: ClusterCondition;
}

/** What is kept of a cluster's health now. */
export interface ClusterHealthRecord {
  readonly cluster: string;
  readonly conditions: readonly ClusterCondition[];
  readonly numbers: HealthNumbers;
  /** When the agent told something last. */
  readonly seenAt?: Instant;
}

/** Transitions kept of one cluster, and for how long, days: whichever is less. */
const keptTransitions = 2000;
const keptDays = 90;

interface TransitionRow {
  readonly number: number;
  readonly at: string;
  readonly from_status: HealthCondition['status'] | null;
  readonly condition: string;
}

const transitionOf = ({ number, at, from_status, condition }: TransitionRow): HealthTransition => ({
  number,
  at,
  ...(from_status === null ? {} : { from: from_status }),
  condition: JSON.parse(condition) as ClusterCondition,
});

/** Health of clusters: what is now, and when it changed. */
export class HealthRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** What is kept of every living cluster, by uid. */
  list(): ReadonlyMap<string, ClusterHealthRecord> {
    const found = new Map<string, ClusterHealthRecord>();
    const heads = this.#database
      .prepare<[], { cluster: string; numbers: string; seen_at: string | null }>(
        `SELECT h.* FROM cluster_health h JOIN clusters c ON c.uid = h.cluster WHERE c.deleted_at IS NULL`,
      )
      .all();
    const conditions = Map.groupBy(
      this.#database
        .prepare<[], { cluster: string; condition: string }>(
          'SELECT cluster, condition FROM health_conditions ORDER BY cluster, type',
        )
        .all(),
      ({ cluster }) => cluster,
    );
    for (const { cluster, numbers, seen_at } of heads)
      found.set(cluster, {
        cluster,
        conditions: (conditions.get(cluster) ?? []).map(
          ({ condition }) => JSON.parse(condition) as ClusterCondition,
        ),
        numbers: JSON.parse(numbers) as HealthNumbers,
        ...(seen_at === null ? {} : { seenAt: seen_at }),
      });
    return found;
  }

  /** Keeps what is now of some conditions. */
  put(
    cluster: string,
    conditions: readonly ClusterCondition[],
    told?: { readonly numbers: HealthNumbers; readonly at: Instant },
  ): void {
    this.#database
      .prepare(
        `INSERT INTO cluster_health (cluster, numbers, seen_at) VALUES (?, ?, ?)
         ON CONFLICT (cluster) DO UPDATE SET numbers = coalesce(?, numbers), seen_at = coalesce(?, seen_at)`,
      )
      .run(
        cluster,
        JSON.stringify(told?.numbers ?? {}),
        told?.at ?? null,
        told === undefined ? null : JSON.stringify(told.numbers),
        told?.at ?? null,
      );
    const put = this.#database.prepare(
      `INSERT INTO health_conditions (cluster, type, condition) VALUES (?, ?, ?)
       ON CONFLICT (cluster, type) DO UPDATE SET condition = excluded.condition`,
    );
    for (const condition of conditions) put.run(cluster, condition.type, JSON.stringify(condition));
  }

  /** Notes a change of state, and drops what is too old or too much of the same cluster. */
  addTransition(cluster: string, transition: Omit<HealthTransition, 'number'>): void {
    const { at, from, condition } = transition;
    this.#database
      .prepare('INSERT INTO health_history (cluster, at, from_status, condition) VALUES (?, ?, ?, ?)')
      .run(cluster, at, from ?? null, JSON.stringify(condition));
    const oldest = new Date(Date.parse(at) - keptDays * 24 * 3_600_000).toISOString();
    this.#database
      .prepare(
        `DELETE FROM health_history WHERE cluster = ? AND (at < ? OR number <= (
           SELECT number FROM health_history WHERE cluster = ? ORDER BY number DESC LIMIT 1 OFFSET ?))`,
      )
      .run(cluster, oldest, cluster, keptTransitions);
  }

  /** What the last deep look found. */
  putDrift(cluster: string, drift: ObservedDrift): void {
    this.#database
      .prepare(
        `INSERT INTO cluster_drift (cluster, at, report) VALUES (?, ?, ?)
         ON CONFLICT (cluster) DO UPDATE SET at = excluded.at, report = excluded.report`,
      )
      .run(cluster, drift.at, JSON.stringify(drift));
  }

  getDrift(cluster: string): ObservedDrift | undefined {
    const row = this.#database
      .prepare<[string], { report: string }>('SELECT report FROM cluster_drift WHERE cluster = ?')
      .get(cluster);
    return row && (JSON.parse(row.report) as ObservedDrift);
  }

  /** Newest first, before a number. */
  history(
    cluster: string,
    limit: number,
    before: number = Number.MAX_SAFE_INTEGER,
  ): readonly HealthTransition[] {
    return this.#database
      .prepare<[string, number, number], TransitionRow>(
        'SELECT * FROM health_history WHERE cluster = ? AND number < ? ORDER BY number DESC LIMIT ?',
      )
      .all(cluster, before, limit)
      .map(transitionOf);
  }
}
