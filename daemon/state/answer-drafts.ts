import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';

/** An answer file that is not applied yet. Its text holds no secret. */
export interface AnswerDraftRecord {
  readonly id: string;
  readonly title: string;
  /** Page of the wizard that it stands at. */
  readonly step: string;
  readonly text: string;
  /** Id of the principal who made it. */
  readonly owner: string;
  readonly isShared: boolean;
  /** From 1, one higher with each change. */
  readonly revision: number;
  readonly updatedAt: Instant;
  readonly updatedBy: string;
}

interface Row {
  readonly id: string;
  readonly title: string;
  readonly step: string;
  readonly text: string;
  readonly owner: string;
  readonly shared: number;
  readonly revision: number;
  readonly updated_at: string;
  readonly updated_by: string;
}

const recordOf = (row: Row): AnswerDraftRecord => ({
  id: row.id,
  title: row.title,
  step: row.step,
  text: row.text,
  owner: row.owner,
  isShared: row.shared === 1,
  revision: row.revision,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
});

/** Drafts of answer files. */
export class AnswerDrafts {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  get(id: string): AnswerDraftRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM answer_drafts WHERE id = ?').get(id);
    return row && recordOf(row);
  }

  /** A principal's own, and those that are shared; newest first. */
  listFor(principal: string): readonly AnswerDraftRecord[] {
    return this.#database
      .prepare<[string], Row>(
        'SELECT * FROM answer_drafts WHERE owner = ? OR shared = 1 ORDER BY updated_at DESC, id',
      )
      .all(principal)
      .map(recordOf);
  }

  count(owner: string): number {
    return (
      this.#database
        .prepare<[string], { count: number }>('SELECT count(*) AS count FROM answer_drafts WHERE owner = ?')
        .get(owner)?.count ?? 0
    );
  }

  put(record: AnswerDraftRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO answer_drafts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        record.id,
        record.title,
        record.step,
        record.text,
        record.owner,
        record.isShared ? 1 : 0,
        record.revision,
        record.updatedAt,
        record.updatedBy,
      );
  }

  /** Answers whether there was one. */
  remove(id: string): boolean {
    return this.#database.prepare('DELETE FROM answer_drafts WHERE id = ?').run(id).changes === 1;
  }
}
