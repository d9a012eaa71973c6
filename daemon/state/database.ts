import Database from 'better-sqlite3';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { Migration } from './migrations/migration.ts';

/** How the last process that held the state ended. */
export type LastStop = 'first-start' | 'clean' | 'unclean';

/** An opened state file. */
export interface OpenedDatabase {
  readonly database: Database.Database;
  readonly lastStop: LastStop;
  /** Backup made before migrating, when there was something to migrate. */
  readonly backup?: string;
}

/**
 * Opens the state file and brings its schema up to date, with a backup before.
 *
 * Write-ahead log, because a commit is then one append and one fsync (a rollback journal needs two files and three
 * fsyncs), and readers see whole transactions. `synchronous=FULL` fsyncs that append before a commit returns
 * (https://sqlite.org/pragma.html#pragma_synchronous). Exclusive locking keeps the WAL index in memory: no shared
 * memory file that could be torn, and a second daemon on the same state is refused by SQLite itself.
 *
 * @throws Blocked STATE-001 when another process holds the file, STATE-002 when it is damaged,
 *   UserProblem STATE-003 when a newer release wrote it.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): OpenedDatabase {
  const database = keepStatements(new Database(path, { timeout: 1000 }));
  try {
    takeHold(database, path);
    const isNew = schemaNumber(database) === 0;
    refuseNewer(database, migrations, path);
    const lastStop = isNew ? 'first-start' : howItStopped(database);
    if (lastStop === 'unclean') checkIntegrity(database, path);
    const backup = migrate(database, path, migrations);
    database.prepare("INSERT OR REPLACE INTO meta VALUES ('stopped', 'unclean')").run();
    return { database, lastStop, ...(backup === undefined ? {} : { backup }) };
  } catch (error) {
    database.close();
    const isDamage = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CORRUPT');
    throw isDamage ? damaged(path, error.message) : error;
  }
}

/**
 * Each text is compiled once: preparing a statement costs more than running it, and a list of clusters runs a thousand.
 * Nobody here runs a statement while its own rows are being read, or changes its mode, so one is enough for everybody.
 * The texts are ours and few.
 */
function keepStatements(database: Database.Database): Database.Database {
  const kept = new Map<string, Database.Statement>();
  const prepare = database.prepare.bind(database);
  const prepareOnce = (text: string): Database.Statement => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const statement = prepare(text);
    kept.set(text, statement);
    return statement;
  };
  // reason: the types of parameters and rows are the caller's word in better-sqlite3 too
  database.prepare = prepareOnce as typeof database.prepare;
  return database;
}

/** Marks the stop as clean and closes. Everything is durable before already; the mark only spares the next check. */
export function closeDatabase(database: Database.Database): void {
  try {
    database.prepare("INSERT OR REPLACE INTO meta VALUES ('stopped', 'clean')").run();
  } catch {
    // A full disk: the next start checks the file, which is all that the missing mark costs.
  }
  database.close();
}

function takeHold(database: Database.Database, path: string): void {
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('temp_store = MEMORY');
    // In exclusive mode the first write takes the lock for good.
    database.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    if (error.code.startsWith('SQLITE_BUSY'))
      throw new Blocked('STATE-001', `another process holds the state file ${path}`, {
        remedy: 'Only one daemon may run on one state folder: stop the other one.',
      });
    if (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT'))
      throw damaged(path, error.message);
    throw error;
  }
}

const schemaNumber = (database: Database.Database): number =>
  database.pragma('user_version', { simple: true }) as number;

const newestOf = (migrations: readonly Migration[]): number => migrations.at(-1)?.number ?? 0;

function refuseNewer(database: Database.Database, migrations: readonly Migration[], path: string): void {
  const found = schemaNumber(database);
  const newest = newestOf(migrations);
  if (found <= newest) return;
  throw new UserProblem(
    'STATE-003',
    `the state file ${path} was written by a newer release (schema ${found}; this release knows ${newest})`,
    {
      remedy:
        'Start the newer release again, or restore the backup that it made beside the file when it migrated.',
    },
  );
}

function howItStopped(database: Database.Database): LastStop {
  const row = database.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'stopped'").get();
  return row?.value === 'clean' ? 'clean' : 'unclean';
}

/** `quick_check` reads every page once but skips matching indexes with tables: O(size), some 0.3 s for 100 MB. */
function checkIntegrity(database: Database.Database, path: string): void {
  const result = database.pragma('quick_check(3)', { simple: true }) as string;
  if (result !== 'ok') throw damaged(path, result);
}

const damaged = (path: string, detail: string): Blocked =>
  new Blocked('STATE-002', `the state file ${path} is damaged: ${detail}`, {
    remedy:
      'Check the disk, then restore the newest backup of the state folder. Running clusters are not touched.',
  });

function migrate(
  database: Database.Database,
  path: string,
  migrations: readonly Migration[],
): string | undefined {
  const found = schemaNumber(database);
  const missing = migrations.filter((migration) => migration.number > found);
  if (missing.length === 0) return undefined;
  const backup = found === 0 ? undefined : writeBackup(database, path, found);
  for (const migration of missing) {
    database.transaction(() => {
      migration.migrate(database);
      database.pragma(`user_version = ${migration.number}`);
    })();
  }
  return backup;
}

/** A whole copy under a name of its schema; appears only when it is complete and durable. */
function writeBackup(database: Database.Database, path: string, schema: number): string {
  const unfinished = `${path}.backup.part`;
  rmSync(unfinished, { force: true });
  database.prepare('VACUUM INTO ?').run(unfinished);
  const file = openSync(unfinished, 'r+');
  fsyncSync(file);
  closeSync(file);
  let target = `${path}.schema-${schema}.backup`;
  for (let again = 2; existsSync(target); again += 1) target = `${path}.schema-${schema}.backup-${again}`;
  renameSync(unfinished, target);
  syncFolder(dirname(path));
  return target;
}

/** Makes names in a folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
