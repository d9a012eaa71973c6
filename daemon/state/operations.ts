import type Database from 'better-sqlite3';
import type { OperationKind } from '../../provisioners/contract/plan.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { jsonOrNull, optional, optionalJson } from './columns.ts';

/** States of an operation (DESIGN §5). A superseded one is `cancelled` and names its successor. */
export type OperationState = 'planned' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What an operation in state `waiting` waits for. */
export type OperationWait =
  /** A person: the new plan destroys what was not approved. */
  | 'approval'
  /** A connected agent of the site that speaks our protocol. */
  | 'agent'
  /** The operation before it on the same cluster. */
  | 'operation'
  /** Free space for the journal. */
  | 'space'
  /** A maintenance window: what comes next disturbs what runs. */
  | 'window'
  /** The end of a pause between two machines. */
  | 'pause';

/** One operation as it is kept. */
export interface OperationRecord {
  readonly id: string;
  /** uid of the cluster. */
  readonly cluster: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly waitingFor?: OperationWait;
  /** When a wait for a window or in a pause ends by itself. */
  readonly waitsUntil?: Instant;
  readonly principal: string;
  readonly revision: number;
  readonly planNumber: number;
  readonly bypass: readonly string[];
  /** Names of machines whose destruction a person has agreed to. */
  readonly approved: readonly string[];
  /** How many principals must agree before it begins what needs confirmation; the one who asked for it is one of them. */
  readonly approvalsNeeded: number;
  /** Whether so many have. */
  readonly isAgreed: boolean;
  /** Who let it work outside the maintenance windows. */
  readonly outsideWindow?: string;
  readonly volumes?: 'retain' | 'delete';
  readonly isCancelRequested: boolean;
  readonly createdAt: Instant;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly problem?: ProblemReport;
  readonly supersededBy?: string;
}

interface Row {
  readonly id: string;
  readonly cluster: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly waiting_for: OperationWait | null;
  readonly waits_until: string | null;
  readonly approvals_needed: number;
  readonly agreed: number;
  readonly outside_window: string | null;
  readonly principal: string;
  readonly revision: number;
  readonly plan_number: number;
  readonly bypass: string;
  readonly approved: string;
  readonly volumes: 'retain' | 'delete' | null;
  readonly cancel_requested: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly problem: string | null;
  readonly superseded_by: string | null;
}

const recordOf = (row: Row): OperationRecord => ({
  id: row.id,
  cluster: row.cluster,
  kind: row.kind,
  state: row.state,
  principal: row.principal,
  revision: row.revision,
  planNumber: row.plan_number,
  bypass: JSON.parse(row.bypass) as string[],
  approved: JSON.parse(row.approved) as string[],
  approvalsNeeded: row.approvals_needed,
  isAgreed: row.agreed === 1,
  isCancelRequested: row.cancel_requested === 1,
  createdAt: row.created_at,
  ...optional('waitingFor', row.waiting_for),
  ...optional('waitsUntil', row.waits_until),
  ...optional('outsideWindow', row.outside_window),
  ...optional('volumes', row.volumes),
  ...optional('startedAt', row.started_at),
  ...optional('endedAt', row.ended_at),
  ...optionalJson<'problem', ProblemReport>('problem', row.problem),
  ...optional('supersededBy', row.superseded_by),
});

const isOver = (state: OperationState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled';

/** Operations. */
export class Operations {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws SqliteError SQLITE_CONSTRAINT_UNIQUE when another operation holds the cluster. */
  add(record: OperationRecord): void {
    this.#database
      .prepare(
        `INSERT INTO operations (id, cluster, kind, state, waiting_for, principal, revision, plan_number, bypass,
           approved, volumes, created_at, approvals_needed, agreed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        record.id,
        record.cluster,
        record.kind,
        record.state,
        record.waitingFor ?? null,
        record.principal,
        record.revision,
        record.planNumber,
        JSON.stringify(record.bypass),
        JSON.stringify(record.approved),
        record.volumes ?? null,
        record.createdAt,
        record.approvalsNeeded,
        Number(record.isAgreed),
      );
  }

  get(id: string): OperationRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM operations WHERE id = ?').get(id);
    return row && recordOf(row);
  }

  /** Newest first; `cluster` is a uid; `before`: only those older than the operation of this id. */
  list(cluster: string | undefined, limit: number, before?: string): readonly OperationRecord[] {
    const wheres = [
      ...(cluster === undefined ? [] : ['cluster = ?']),
      ...(before === undefined ? [] : ['rowid < (SELECT rowid FROM operations WHERE id = ?)']),
    ];
    const where = wheres.length === 0 ? '' : `WHERE ${wheres.join(' AND ')}`;
    const values = [cluster, before].filter((value) => value !== undefined);
    return this.#database
      .prepare<unknown[], Row>(`SELECT * FROM operations ${where} ORDER BY rowid DESC LIMIT ?`)
      .all(...values, limit)
      .map(recordOf);
  }

  /** How many there are, by state. */
  countByState(): Readonly<Record<string, number>> {
    const rows = this.#database
      .prepare<[], { state: string; count: number }>(
        'SELECT state, count(*) AS count FROM operations GROUP BY state',
      )
      .all();
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** The newest operation of a cluster (uid) that is of one of these kinds. */
  newest(cluster: string, kinds: readonly OperationKind[]): OperationRecord | undefined {
    const row = this.#database
      .prepare<[string, string], Row>(
        `SELECT * FROM operations WHERE cluster = ? AND kind IN (SELECT value FROM json_each(?))
         ORDER BY rowid DESC LIMIT 1`,
      )
      .get(cluster, JSON.stringify(kinds));
    return row && recordOf(row);
  }

  /** The newest operations of a kind that a principal asked of a cluster (uid), newest first. */
  newestBy(
    cluster: string,
    kind: OperationKind,
    principal: string,
    limit: number,
  ): readonly OperationRecord[] {
    return this.#database
      .prepare<[string, string, string, number], Row>(
        'SELECT * FROM operations WHERE cluster = ? AND kind = ? AND principal = ? ORDER BY rowid DESC LIMIT ?',
      )
      .all(cluster, kind, principal, limit)
      .map(recordOf);
  }

  /** Kinds of the operations that were begun on the same cluster after this one. */
  kindsAfter(id: string): readonly OperationKind[] {
    return this.#database
      .prepare<[string], { readonly kind: OperationKind }>(
        `SELECT DISTINCT later.kind FROM operations AS this JOIN operations AS later
         ON later.cluster = this.cluster AND later.rowid > this.rowid WHERE this.id = ?`,
      )
      .all(id)
      .map(({ kind }) => kind);
  }

  /** Everything that is not over, oldest first: what a start takes up again. */
  listUnfinished(): readonly OperationRecord[] {
    return this.#database
      .prepare<[], Row>(
        `SELECT * FROM operations WHERE state IN ('planned','waiting','running') ORDER BY rowid`,
      )
      .all()
      .map(recordOf);
  }

  /** The operation that holds a cluster (uid) now. */
  holder(cluster: string): OperationRecord | undefined {
    return this.#unfinishedOf(cluster).find((one) => one.waitingFor !== 'operation');
  }

  /** The one that waits for the holder's end. */
  queued(cluster: string): OperationRecord | undefined {
    return this.#unfinishedOf(cluster).find((one) => one.waitingFor === 'operation');
  }

  #unfinishedOf(cluster: string): readonly OperationRecord[] {
    return this.#database
      .prepare<[string], Row>(
        `SELECT * FROM operations WHERE cluster = ? AND state IN ('planned','waiting','running') ORDER BY rowid`,
      )
      .all(cluster)
      .map(recordOf);
  }

  /** Moves it to a state; a state that is over gets its end, others lose an earlier one. */
  setState(
    id: string,
    state: OperationState,
    change: {
      readonly at: Instant;
      readonly waitingFor?: OperationWait;
      readonly waitsUntil?: Instant;
      readonly problem?: ProblemReport;
    },
  ): void {
    this.#database
      .prepare(
        `UPDATE operations SET state = ?, waiting_for = ?, waits_until = ?, problem = ?, ended_at = ?,
           started_at = CASE WHEN ? = 'running' THEN coalesce(started_at, ?) ELSE started_at END WHERE id = ?`,
      )
      .run(
        state,
        change.waitingFor ?? null,
        change.waitsUntil ?? null,
        jsonOrNull(change.problem),
        isOver(state) ? change.at : null,
        state,
        change.at,
        id,
      );
  }

  setPlanNumber(id: string, planNumber: number): void {
    this.#database.prepare('UPDATE operations SET plan_number = ? WHERE id = ?').run(planNumber, id);
  }

  setApproved(id: string, approved: readonly string[]): void {
    this.#database
      .prepare('UPDATE operations SET approved = ? WHERE id = ?')
      .run(JSON.stringify(approved), id);
  }

  /** How many must agree, and whether they have. */
  setAgreement(id: string, agreement: { readonly needed: number; readonly isAgreed: boolean }): void {
    this.#database
      .prepare('UPDATE operations SET approvals_needed = ?, agreed = ? WHERE id = ?')
      .run(agreement.needed, Number(agreement.isAgreed), id);
  }

  /** Somebody lets it work outside the maintenance windows. */
  setOutsideWindow(id: string, principal: string): void {
    this.#database.prepare('UPDATE operations SET outside_window = ? WHERE id = ?').run(principal, id);
  }

  setCancelRequested(id: string, isRequested: boolean): void {
    this.#database
      .prepare('UPDATE operations SET cancel_requested = ? WHERE id = ?')
      .run(isRequested ? 1 : 0, id);
  }

  setSuperseded(id: string, by: string): void {
    this.#database.prepare('UPDATE operations SET superseded_by = ? WHERE id = ?').run(by, id);
  }
}
