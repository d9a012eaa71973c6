import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** What is known of a person beside her principal. Nothing here opens anything by itself. */
export interface UserRecord {
  readonly principal: string;
  /** Where she comes from; absent for local people. */
  readonly directory?: string;
  /** Groups of the directory at the last sign-in. */
  readonly groups: readonly string[];
  /** Cluster → role by the directory's mapping at the last sign-in. */
  readonly grants: Readonly<Record<string, string>>;
  /** Hash of the password with its parameters (PHC string); absent for invited people and those of a directory. */
  readonly password?: string;
  /** Sealed secret of the second factor. */
  readonly factor?: string;
  readonly isFactorConfirmed: boolean;
  /** Step (RFC 6238) of the last one-time code that was taken: none is taken twice. */
  readonly factorStep: number;
  /** Keyed hashes of the recovery codes that are left. */
  readonly recovery: readonly string[];
  /** Raised to forget all known devices. */
  readonly deviceEpoch: number;
  /** Hash of the invitation that waits. */
  readonly invitation?: string;
  readonly invitationEndsAt?: Instant;
  readonly lastSignInAt?: Instant;
}

interface Row {
  readonly principal: string;
  readonly directory: string | null;
  readonly groups: string;
  readonly grants: string;
  readonly password: string | null;
  readonly factor: string | null;
  readonly factor_confirmed: number;
  readonly factor_step: number;
  readonly recovery: string;
  readonly device_epoch: number;
  readonly invitation: string | null;
  readonly invitation_ends_at: string | null;
  readonly last_sign_in_at: string | null;
}

const recordOf = (row: Row): UserRecord => ({
  principal: row.principal,
  groups: JSON.parse(row.groups) as string[],
  grants: JSON.parse(row.grants) as Record<string, string>,
  isFactorConfirmed: row.factor_confirmed === 1,
  factorStep: row.factor_step,
  recovery: JSON.parse(row.recovery) as string[],
  deviceEpoch: row.device_epoch,
  ...optional('directory', row.directory),
  ...optional('password', row.password),
  ...optional('factor', row.factor),
  ...optional('invitation', row.invitation),
  ...optional('invitationEndsAt', row.invitation_ends_at),
  ...optional('lastSignInAt', row.last_sign_in_at),
});

/** People. Every call is one statement, durable when it returns. */
export class Users {
  readonly #database: Database.Database;
  readonly #get: Database.Statement<[string], Row>;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#get = database.prepare('SELECT * FROM users WHERE principal = ?');
  }

  get(principal: string): UserRecord | undefined {
    const row = this.#get.get(principal);
    return row && recordOf(row);
  }

  findInvitation(hash: string): UserRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM users WHERE invitation = ?').get(hash);
    return row && recordOf(row);
  }

  list(): readonly UserRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM users ORDER BY principal').all().map(recordOf);
  }

  /** Adds or replaces the whole record. @throws SqliteError when there is no such principal. */
  put(record: UserRecord): void {
    this.#database
      .prepare(
        `INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (principal) DO UPDATE SET
           directory = excluded.directory, groups = excluded.groups,
           grants = excluded.grants, password = excluded.password,
           factor = excluded.factor, factor_confirmed = excluded.factor_confirmed,
           factor_step = excluded.factor_step, recovery = excluded.recovery,
           device_epoch = excluded.device_epoch, invitation = excluded.invitation,
           invitation_ends_at = excluded.invitation_ends_at, last_sign_in_at = excluded.last_sign_in_at`,
      )
      .run(
        record.principal,
        record.directory ?? null,
        JSON.stringify(record.groups),
        JSON.stringify(record.grants),
        record.password ?? null,
        record.factor ?? null,
        record.isFactorConfirmed ? 1 : 0,
        record.factorStep,
        JSON.stringify(record.recovery),
        record.deviceEpoch,
        record.invitation ?? null,
        record.invitationEndsAt ?? null,
        record.lastSignInAt ?? null,
      );
  }
}
