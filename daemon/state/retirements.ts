import type Database from 'better-sqlite3';
import type { ObservedRetirement, Retirement } from '../../provisioners/contract/observed.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

interface Row {
  readonly name: string;
  readonly mode: Retirement['mode'];
  readonly reason: Retirement['reason'];
  readonly since: string;
  readonly fenced_at: string | null;
  readonly unfenced_at: string | null;
  readonly unfenced_why: string | null;
  readonly stated_by: string | null;
  readonly stripped: 0 | 1;
}

/** Steps after which a machine that leaves does not do all of its work any more, and which nothing takes back. */
const strippingSteps = ['endpoint.withdraw', 'api-server.stop'];

/** Steps that lay hands on a machine that leaves. */
const leavingSteps = [
  'node.cordon',
  ...strippingSteps,
  'etcd-member.remove',
  'machine.fence',
  'machine.destroy',
];

/** Ids of steps of these kinds about the machine. */
const stepsOf = (kinds: readonly string[]): string => kinds.map((kind) => `'${kind}/' || r.name`).join(', ');

/** In whatever operation: the one that began it may have handed the machine on to another. */
const isStripped = `EXISTS (
  SELECT 1 FROM attempts a JOIN operations w ON w.id = a.operation
  WHERE w.cluster = r.cluster AND a.intent_at >= r.since AND a.step IN (${stepsOf(strippingSteps)}))`;

const inForce = `
  SELECT r.name, r.mode, r.reason, r.since, r.fenced_at, r.unfenced_at, r.unfenced_why, r.stated_by,
    ${isStripped} AS stripped
  FROM retirements r JOIN operations o ON o.id = r.operation
  WHERE r.cluster = ? AND NOT (o.state = 'waiting' AND o.waiting_for = 'operation') AND (
    o.state <> 'cancelled' OR ${isStripped} OR EXISTS (
      SELECT 1 FROM attempts a WHERE a.operation = o.id AND a.step IN (${stepsOf(leavingSteps)})))
  ORDER BY r.name`;

/** Machines that leave a cluster (uid), or have left it and are still there. */
export class Retirements {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** A repeat changes what is to become of it, and keeps since when it leaves. */
  add(
    cluster: string,
    name: string,
    { mode, reason, operation, at }: Retirement & { readonly operation: string; readonly at: Instant },
  ): void {
    this.#database
      .prepare(
        `INSERT INTO retirements (cluster, name, mode, reason, operation, since) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (cluster, name) DO UPDATE SET mode = excluded.mode, reason = excluded.reason,
           operation = excluded.operation`,
      )
      .run(cluster, name, mode, reason, operation, at);
  }

  /** It stays, or it is gone and its name is free. What an operation asks for that has not begun yet is kept. */
  remove(cluster: string, name: string): void {
    this.#database
      .prepare(
        `DELETE FROM retirements WHERE cluster = ? AND name = ? AND operation NOT IN (
           SELECT id FROM operations WHERE state = 'waiting' AND waiting_for = 'operation')`,
      )
      .run(cluster, name);
  }

  /** All of a cluster. */
  forget(cluster: string): void {
    this.#database.prepare('DELETE FROM retirements WHERE cluster = ?').run(cluster);
  }

  /** What an operation that comes to nothing had begun to send away is the business of the one that takes its place. */
  handOver(from: string, to: string): void {
    this.#database.prepare('UPDATE retirements SET operation = ? WHERE operation = ?').run(to, from);
  }

  /** Whether an operation was to send machines away. */
  isAskedBy(operation: string): boolean {
    const found = this.#database
      .prepare<[string], { readonly found: 1 }>(
        'SELECT 1 AS found FROM retirements WHERE operation = ? LIMIT 1',
      )
      .get(operation);
    return found !== undefined;
  }

  /** It is kept, and proven to take no part any more. */
  setFenced(cluster: string, name: string, at: Instant): void {
    this.#database
      .prepare(
        `UPDATE retirements SET fenced_at = ?, unfenced_at = NULL, unfenced_why = NULL
         WHERE cluster = ? AND name = ?`,
      )
      .run(at, cluster, name);
  }

  /** It could not be fenced; the first moment of it stays. */
  setUnfenced(
    cluster: string,
    name: string,
    { why, at }: { readonly why: string; readonly at: Instant },
  ): void {
    this.#database
      .prepare(
        `UPDATE retirements SET unfenced_at = coalesce(unfenced_at, ?), unfenced_why = ?
         WHERE cluster = ? AND name = ? AND fenced_at IS NULL`,
      )
      .run(at, why, cluster, name);
  }

  /** It was destroyed or switched off after all. */
  clearUnfenced(cluster: string, name: string): void {
    this.#database
      .prepare(
        'UPDATE retirements SET unfenced_at = NULL, unfenced_why = NULL WHERE cluster = ? AND name = ?',
      )
      .run(cluster, name);
  }

  /** A person has said that it is switched off and stays so: it is kept as it is, and nobody tries to destroy it. */
  setStated(cluster: string, name: string, { by, at }: { readonly by: string; readonly at: Instant }): void {
    this.#database
      .prepare(
        `UPDATE retirements SET mode = 'keep', fenced_at = ?, stated_by = ?, unfenced_at = NULL, unfenced_why = NULL
         WHERE cluster = ? AND name = ?`,
      )
      .run(at, by, cluster, name);
  }

  /**
   * Those in force, by name. Not in force is what an operation asks for that has not begun, or that was cancelled before
   * it laid hands on the machine: the same operation finds it again when it is resumed.
   */
  list(cluster: string): Readonly<Record<string, ObservedRetirement>> {
    const rows = this.#database.prepare<[string], Row>(inForce).all(cluster);
    return Object.fromEntries(
      rows.map(({ name, mode, reason, since, fenced_at, unfenced_at, unfenced_why, stated_by, stripped }) => [
        name,
        {
          mode,
          reason,
          since,
          isFenced: fenced_at !== null,
          ...(stripped === 0 ? {} : { isStripped: true as const }),
          ...(unfenced_at === null ? {} : { unfenced: { since: unfenced_at, why: unfenced_why ?? '' } }),
          ...(stated_by === null ? {} : { statedBy: stated_by }),
        },
      ]),
    );
  }
}
