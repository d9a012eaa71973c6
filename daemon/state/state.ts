import type Database from 'better-sqlite3';
import { Audit } from './audit.ts';
import { Principals } from './principals.ts';

/** Everything the daemon remembers: one SQLite file, one repository a noun. */
export class State {
  readonly database: Database.Database;
  readonly principals: Principals;
  readonly audit: Audit;

  constructor(database: Database.Database) {
    this.database = database;
    this.principals = new Principals(database);
    this.audit = new Audit(database);
  }
}
