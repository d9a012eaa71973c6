import type Database from 'better-sqlite3';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { jsonOrNull, optional, optionalJson } from './columns.ts';

/** State of one step. `kept`: done under an earlier plan of the operation, and not to be done again. */
export type StepState = 'planned' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'kept';

/** How far a step has come. */
export interface StepProgress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/** One step of an operation over all its plans: rows stay when a later plan does not name them. */
export interface StepRecord {
  readonly id: string;
  /** The newest plan that names it. */
  readonly planNumber: number;
  readonly position: number;
  readonly state: StepState;
  /** Number of the newest attempt; 0 = none yet. */
  readonly attempt: number;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly changed?: boolean;
  readonly facts?: Json;
  readonly problem?: ProblemReport;
  readonly waiting?: Waiting;
  readonly progress?: StepProgress;
}

/** How a step ended. */
export interface StepEnd {
  readonly state: 'succeeded' | 'failed' | 'cancelled';
  readonly at: Instant;
  readonly changed?: boolean;
  readonly facts?: Json;
  readonly problem?: ProblemReport;
}

interface Row {
  readonly id: string;
  readonly plan_number: number;
  readonly position: number;
  readonly state: StepState;
  readonly attempt: number;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly changed: number | null;
  readonly facts: string | null;
  readonly problem: string | null;
  readonly waiting: string | null;
  readonly progress: string | null;
}

const recordOf = (row: Row): StepRecord => ({
  id: row.id,
  planNumber: row.plan_number,
  position: row.position,
  state: row.state,
  attempt: row.attempt,
  ...optional('startedAt', row.started_at),
  ...optional('endedAt', row.ended_at),
  ...optional('changed', row.changed === null ? undefined : row.changed === 1),
  ...optionalJson<'facts', Json>('facts', row.facts),
  ...optionalJson<'problem', ProblemReport>('problem', row.problem),
  ...optionalJson<'waiting', Waiting>('waiting', row.waiting),
  ...optionalJson<'progress', StepProgress>('progress', row.progress),
});

/** Steps of operations. Facts stay over replanning: later inputs may refer to them. */
export class Steps {
  readonly #database: Database.Database;
  readonly #plan: Database.Statement;
  readonly #carry: Database.Statement;
  readonly #reopen: Database.Statement;
  readonly #start: Database.Statement;
  readonly #end: Database.Statement;
  readonly #note: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#plan = database.prepare(
      `INSERT INTO steps (operation, id, plan_number, position, state) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (operation, id) DO UPDATE SET plan_number = excluded.plan_number, position = excluded.position,
         state = excluded.state, waiting = NULL, progress = NULL, problem = NULL,
         started_at = CASE excluded.state WHEN 'kept' THEN started_at END,
         ended_at = CASE excluded.state WHEN 'kept' THEN ended_at END,
         changed = CASE excluded.state WHEN 'kept' THEN changed END`,
    );
    this.#carry = database.prepare(
      'UPDATE steps SET plan_number = ?, position = ? WHERE operation = ? AND id = ?',
    );
    this.#reopen = database.prepare(
      `UPDATE steps SET state = 'planned', facts = coalesce(?, facts), waiting = NULL, progress = NULL,
         problem = NULL, started_at = NULL, ended_at = NULL, changed = NULL
       WHERE operation = ? AND id = ?`,
    );
    this.#start = database.prepare(
      `UPDATE steps SET state = 'running', attempt = ?, started_at = ?, ended_at = NULL, problem = NULL
       WHERE operation = ? AND id = ?`,
    );
    this.#end = database.prepare(
      `UPDATE steps SET state = ?, ended_at = ?, changed = ?, facts = coalesce(?, facts), problem = ?, waiting = NULL
       WHERE operation = ? AND id = ?`,
    );
    this.#note = database.prepare(
      `UPDATE steps SET waiting = ?, progress = coalesce(?, progress)
       WHERE operation = ? AND id = ? AND state = 'running'`,
    );
  }

  /** Puts a step into a plan. */
  plan(
    operation: string,
    planNumber: number,
    step: { readonly id: string; readonly position: number; readonly state: 'planned' | 'kept' },
  ): void {
    this.#plan.run(operation, step.id, planNumber, step.position, step.state);
  }

  /** Puts a step that is under way into a plan as it is. */
  carry(
    operation: string,
    planNumber: number,
    step: { readonly id: string; readonly position: number },
  ): void {
    this.#carry.run(planNumber, step.position, operation, step.id);
  }

  /** The attempt of an earlier plan has ended, and the step of the plan in force is still to be started. */
  reopen(operation: string, id: string, facts?: Json): void {
    this.#reopen.run(jsonOrNull(facts), operation, id);
  }

  start(operation: string, id: string, attempt: number, at: Instant): void {
    this.#start.run(attempt, at, operation, id);
  }

  end(operation: string, id: string, end: StepEnd): void {
    const changed = end.changed === undefined ? null : Number(end.changed);
    this.#end.run(end.state, end.at, changed, jsonOrNull(end.facts), jsonOrNull(end.problem), operation, id);
  }

  /** What a running step last said of itself; one that makes progress waits no more. */
  note(
    operation: string,
    id: string,
    said: { readonly waiting?: Waiting; readonly progress?: StepProgress },
  ): void {
    this.#note.run(jsonOrNull(said.waiting), jsonOrNull(said.progress), operation, id);
  }

  get(operation: string, id: string): StepRecord | undefined {
    const row = this.#database
      .prepare<[string, string], Row>('SELECT * FROM steps WHERE operation = ? AND id = ?')
      .get(operation, id);
    return row && recordOf(row);
  }

  /** All steps ever planned for the operation, in plan order. */
  list(operation: string): readonly StepRecord[] {
    return this.#database
      .prepare<[string], Row>('SELECT * FROM steps WHERE operation = ? ORDER BY plan_number, position')
      .all(operation)
      .map(recordOf);
  }

  /** When a step of one of these kinds last ended well in the operation. */
  lastEnd(operation: string, kinds: readonly string[]): Instant | undefined {
    const ends = kinds.map(
      (kind) =>
        this.#database
          .prepare<[string, string, string], { at: string | null }>(
            // Ids begin with the kind and a slash; the character after the slash is 0.
            "SELECT max(ended_at) AS at FROM steps WHERE operation = ? AND id >= ? AND id < ? AND state = 'succeeded'",
          )
          .get(operation, `${kind}/`, `${kind}0`)?.at ?? '',
    );
    const last = ends.toSorted().at(-1) ?? '';
    return last === '' ? undefined : last;
  }

  /** Counts of the plan in force. */
  count(operation: string, planNumber: number): Readonly<Partial<Record<StepState, number>>> {
    const rows = this.#database
      .prepare<[string, number], { state: StepState; count: number }>(
        'SELECT state, count(*) AS count FROM steps WHERE operation = ? AND plan_number = ? GROUP BY state',
      )
      .all(operation, planNumber);
    return Object.fromEntries(rows.map((row) => [row.state, row.count]));
  }
}
