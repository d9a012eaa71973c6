import type Database from 'better-sqlite3';

/** Everything the daemon remembers: one SQLite file, one repository a noun. */
export class State {
  readonly database: Database.Database;

  constructor(database: Database.Database) {
    this.database = database;
  }
}
