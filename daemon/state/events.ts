import type Database from 'better-sqlite3';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** Something that happened. `cluster` is its name, as people filter by it. */
export interface NewEvent {
  readonly at: Instant;
  readonly type: string;
  readonly cluster?: string;
  readonly operation?: string;
  readonly step?: string;
  readonly data: Json;
}

/** A kept event: numbered without gaps in the order it became durable. */
export interface EventRecord extends NewEvent {
  readonly number: number;
}

interface Row {
  readonly number: number;
  readonly at: string;
  readonly type: string;
  readonly cluster: string | null;
  readonly operation: string | null;
  readonly step: string | null;
  readonly data: string;
}

/** Which events are meant. */
interface EventQuery {
  readonly cluster?: string;
  readonly operation?: string;
  readonly limit: number;
}

/** Events kept for replay; older ones are dropped. 200,000 are some 60 MB and months of an ordinary site. */
const keptEvents = 200_000;

/** How often, in events, the old ones are dropped. */
const pruneEvery = 1000;

const recordOf = (row: Row): EventRecord => ({
  number: row.number,
  at: row.at,
  type: row.type,
  data: JSON.parse(row.data) as Json,
  ...optional('cluster', row.cluster),
  ...optional('operation', row.operation),
  ...optional('step', row.step),
});

/** Events, in one row of numbers for the whole daemon. */
export class Events {
  readonly #database: Database.Database;
  readonly #append: Database.Statement;
  readonly #prune: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#append = database.prepare(
      'INSERT INTO events (at, type, cluster, operation, step, data) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#prune = database.prepare('DELETE FROM events WHERE number <= ?');
  }

  append(event: NewEvent): EventRecord {
    const { lastInsertRowid } = this.#append.run(
      event.at,
      event.type,
      event.cluster ?? null,
      event.operation ?? null,
      event.step ?? null,
      JSON.stringify(event.data),
    );
    const number = Number(lastInsertRowid);
    if (number % pruneEvery === 0) this.#prune.run(number - keptEvents);
    return { ...event, number };
  }

  /** After a number, oldest first. */
  list(after: number, filter: EventQuery): readonly EventRecord[] {
    return this.#read(['number > ?', after], 'ASC', filter);
  }

  /** Before a number, newest first. */
  listBack(before: number, filter: EventQuery): readonly EventRecord[] {
    return this.#read(['number < ?', before], 'DESC', filter);
  }

  #read(
    [where, number]: readonly [string, number],
    order: 'ASC' | 'DESC',
    filter: EventQuery,
  ): readonly EventRecord[] {
    const wheres = [where];
    const values: (string | number)[] = [number];
    for (const column of ['cluster', 'operation'] as const) {
      const value = filter[column];
      if (value === undefined) continue;
      wheres.push(`${column} = ?`);
      values.push(value);
    }
    const sql = `SELECT * FROM events WHERE ${wheres.join(' AND ')} ORDER BY number ${order} LIMIT ?`;
    return this.#database
      .prepare<unknown[], Row>(sql)
      .all(...values, filter.limit)
      .map(recordOf);
  }

  /** Number of the newest event; 0 = none. */
  last(): number {
    return (
      this.#database.prepare<[], { last: number | null }>('SELECT max(number) AS last FROM events').get()
        ?.last ?? 0
    );
  }
}
