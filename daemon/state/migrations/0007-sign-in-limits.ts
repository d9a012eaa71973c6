import type { Migration } from './migration.ts';

const table = `
  -- key: keyed hash of an account, address or device, since people type passwords into the wrong field.
  -- amount: tries left of an address or device, or failures of an account. Times: milliseconds since 1970.
  CREATE TABLE sign_in_limits (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('tries', 'failures')),
    amount REAL NOT NULL, at INTEGER NOT NULL, not_before INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** Who has to wait before the next try to sign in, so that a restart gives no guesser a fresh budget. */
export const signInLimits: Migration = {
  number: 7,
  title: 'limits of sign-in that outlive a restart',
  migrate(database) {
    database.exec(table);
  },
};
