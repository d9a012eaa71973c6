import type Database from 'better-sqlite3';
import type { Clock } from './clock.ts';
import { isOutOfSpace, type Reserve } from './reserve.ts';

/** What a journal is made of. */
export interface JournalParts {
  readonly database: Database.Database;
  readonly reserve: Reserve;
  readonly clock: Clock;
  /** How long a write may wait for company before the group is committed, milliseconds (DESIGN §5: ≤ 5). */
  readonly groupDelay?: number;
}

interface Entry {
  readonly change: () => unknown;
  readonly settle: (outcome: { readonly value: unknown } | { readonly error: unknown }) => void;
}

/** How often a full disk is looked at again, milliseconds. */
const spaceCheck = 1000;

/**
 * Grouped commits: changes that arrive within a few milliseconds share one transaction and one fsync. The promise of
 * a change resolves when that transaction is durable, in the order the changes were given. A change that throws is
 * undone alone; its neighbours stay.
 *
 * When the disk is full the reserve is given up, `isShort` turns true (nothing new is started), and changes that still
 * do not fit wait here until there is space: none is lost, none is answered early.
 */
export class Journal {
  readonly #parts: JournalParts;
  readonly #groupDelay: number;
  #queue: Entry[] = [];
  #cancelFlush: (() => void) | undefined;
  #isShort = false;
  #isClosed = false;
  readonly #spaceListeners: ((isShort: boolean) => void)[] = [];
  readonly #beforeCommit: (() => void)[] = [];

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#groupDelay = Math.min(parts.groupDelay ?? 2, 5);
    if (!parts.reserve.hold()) this.#turnShort();
  }

  /** True while the reserve is given up: running work is still journalled, new work must not start. */
  get isShort(): boolean {
    return this.#isShort;
  }

  onSpace(listener: (isShort: boolean) => void): void {
    this.#spaceListeners.push(listener);
  }

  /** Called before each commit, to make files durable that the commit speaks of (the logs). Must not throw. */
  onBeforeCommit(act: () => void): void {
    this.#beforeCommit.push(act);
  }

  /**
   * Runs `change` in the next group. It may run more than once (a group is undone and tried again when the disk is
   * full), so it must touch nothing but the database.
   * @throws whatever `change` throws.
   */
  write<T>(change: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new Error('the journal is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        change,
        settle: (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value as T)),
      });
      this.#cancelFlush ??= this.#parts.clock.after(this.#groupDelay, () => this.flush());
    });
  }

  /**
   * Commits what waits, now.
   * @throws SqliteError when the group cannot be committed for another reason than space (a failing disk). Nobody is
   *   answered then; from the timer it ends the process, and the next one goes on from what is durable.
   */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const group = this.#queue;
    if (group.length === 0 || this.#isClosed) return;
    this.#queue = [];
    const outcomes = this.#commitWithReserve(group);
    if (outcomes === undefined) {
      this.#queue = [...group, ...this.#queue];
      this.#cancelFlush = this.#parts.clock.after(spaceCheck, () => this.flush());
      return;
    }
    for (const [index, entry] of group.entries())
      entry.settle(outcomes[index] as Parameters<Entry['settle']>[0]);
  }

  /** Commits what waits and takes nothing more. Changes that do not fit on a full disk are dropped with it. */
  close(): void {
    this.flush();
    this.#cancelFlush?.();
    this.#isClosed = true;
  }

  #commitWithReserve(group: readonly Entry[]): readonly Parameters<Entry['settle']>[0][] | undefined {
    try {
      return this.#commit(group);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
    }
    this.#turnShort();
    try {
      return this.#commit(group);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      return undefined;
    }
  }

  #commit(group: readonly Entry[]): Parameters<Entry['settle']>[0][] {
    const { database } = this.#parts;
    for (const act of this.#beforeCommit) act();
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = group.map((entry) => this.#attempt(entry));
      database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  /** One change in its own savepoint. Only a full disk ends the whole group. */
  #attempt(entry: Entry): Parameters<Entry['settle']>[0] {
    try {
      return { value: this.#parts.database.transaction(entry.change)() };
    } catch (error) {
      if (isOutOfSpace(error) || !this.#parts.database.inTransaction) throw error;
      return { error };
    }
  }

  #turnShort(): void {
    this.#parts.reserve.release();
    if (this.#isShort) return;
    this.#isShort = true;
    for (const listener of this.#spaceListeners) listener(true);
    this.#watchSpace();
  }

  #watchSpace(): void {
    this.#parts.clock.after(spaceCheck, () => {
      if (this.#isClosed) return;
      if (!this.#parts.reserve.hold()) return this.#watchSpace();
      this.#isShort = false;
      for (const listener of this.#spaceListeners) listener(false);
    });
  }
}
