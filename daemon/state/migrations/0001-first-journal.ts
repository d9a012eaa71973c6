import type { Migration } from './migration.ts';

const wishes = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE providers (
    name TEXT PRIMARY KEY, type TEXT NOT NULL, site TEXT NOT NULL, destination TEXT NOT NULL,
    document TEXT NOT NULL, principal TEXT NOT NULL, updated_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE clusters (
    uid TEXT PRIMARY KEY, name TEXT NOT NULL, provider TEXT NOT NULL REFERENCES providers(name),
    sealed_keys TEXT NOT NULL, public_keys TEXT NOT NULL,
    observed TEXT, created_at TEXT NOT NULL, deleted_at TEXT
  ) STRICT;
  CREATE UNIQUE INDEX clusters_by_name ON clusters(name) WHERE deleted_at IS NULL;

  CREATE TABLE revisions (
    cluster TEXT NOT NULL REFERENCES clusters(uid), number INTEGER NOT NULL, digest TEXT NOT NULL,
    document TEXT NOT NULL, provider_document TEXT NOT NULL, text TEXT NOT NULL,
    file TEXT NOT NULL, principal TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (cluster, number)
  ) STRICT;

  -- Keys and uid drawn for a plan of a cluster that is not made yet, so that the reviewed plan can be run.
  CREATE TABLE drafts (
    name TEXT PRIMARY KEY, uid TEXT NOT NULL, site TEXT NOT NULL,
    sealed_keys TEXT NOT NULL, public_keys TEXT NOT NULL, at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE reviews (hash TEXT PRIMARY KEY, cluster TEXT NOT NULL, plan TEXT NOT NULL, at TEXT NOT NULL) STRICT;

  CREATE TABLE machines (
    cluster TEXT NOT NULL REFERENCES clusters(uid), name TEXT NOT NULL,
    incarnation INTEGER NOT NULL, token TEXT, reference TEXT, PRIMARY KEY (cluster, name)
  ) STRICT;

  CREATE TABLE secrets (
    name TEXT PRIMARY KEY, sealed TEXT NOT NULL, keys TEXT NOT NULL, destination TEXT,
    principal TEXT NOT NULL, updated_at TEXT NOT NULL
  ) STRICT;`;

const work = `
  CREATE TABLE operations (
    id TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES clusters(uid), kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned','waiting','running','succeeded','failed','cancelled')),
    waiting_for TEXT CHECK (waiting_for IN ('approval','agent','operation','space')),
    principal TEXT NOT NULL, revision INTEGER NOT NULL, plan_number INTEGER NOT NULL,
    bypass TEXT NOT NULL, approved TEXT NOT NULL, volumes TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT, problem TEXT, superseded_by TEXT
  ) STRICT;
  CREATE INDEX operations_by_cluster ON operations(cluster);
  CREATE INDEX operations_by_state ON operations(state) WHERE state IN ('planned','waiting','running');
  -- One operation a cluster at a time (DESIGN §5); one that waits for another does not hold it yet.
  CREATE UNIQUE INDEX one_operation_a_cluster ON operations(cluster)
    WHERE state = 'planned' OR state = 'running' OR (state = 'waiting' AND waiting_for <> 'operation');

  CREATE TABLE plans (
    operation TEXT NOT NULL REFERENCES operations(id), number INTEGER NOT NULL, hash TEXT NOT NULL,
    plan TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (operation, number)
  ) STRICT;

  CREATE TABLE steps (
    operation TEXT NOT NULL REFERENCES operations(id), id TEXT NOT NULL, plan_number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned','running','succeeded','failed','cancelled','kept')),
    attempt INTEGER NOT NULL DEFAULT 0, started_at TEXT, ended_at TEXT, changed INTEGER,
    facts TEXT, problem TEXT, waiting TEXT, progress TEXT, PRIMARY KEY (operation, id)
  ) STRICT, WITHOUT ROWID;

  -- Intent is durable before an effect: a row without outcome is an attempt that may be running.
  CREATE TABLE attempts (
    operation TEXT NOT NULL, step TEXT NOT NULL, number INTEGER NOT NULL, epoch INTEGER NOT NULL,
    kind TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
    intent_at TEXT NOT NULL, reported_at TEXT, ended_at TEXT, outcome TEXT,
    PRIMARY KEY (operation, step, number), FOREIGN KEY (operation, step) REFERENCES steps(operation, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attempts_open ON attempts(operation) WHERE outcome IS NULL;
  -- A step is never under way twice, whatever the engine believes.
  CREATE UNIQUE INDEX one_open_attempt_a_step ON attempts(operation, step) WHERE outcome IS NULL;

  CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, type TEXT NOT NULL,
    cluster TEXT, operation TEXT, step TEXT, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_operation ON events(operation, number);
  CREATE INDEX events_by_cluster ON events(cluster, number);

  CREATE TABLE answers (
    key TEXT NOT NULL, principal TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (key, principal)
  ) STRICT;`;

const people = `
  CREATE TABLE agents (
    site TEXT PRIMARY KEY, epoch INTEGER NOT NULL, recipient TEXT, release TEXT,
    enrolled_at TEXT, last_seen TEXT, acknowledged INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE enrolments (
    hash TEXT PRIMARY KEY, site TEXT NOT NULL, principal TEXT NOT NULL,
    expires_at TEXT NOT NULL, used_at TEXT
  ) STRICT;

  CREATE TABLE principals (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, roles TEXT NOT NULL,
    created_at TEXT NOT NULL, disabled_at TEXT
  ) STRICT;

  CREATE TABLE tokens (
    hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, principal TEXT NOT NULL REFERENCES principals(id),
    label TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT
  ) STRICT;

  CREATE TABLE audit (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, principal TEXT NOT NULL, verb TEXT NOT NULL,
    object TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  -- History is not rewritten, not even by a mistake of ours.
  CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are kept'); END;
  CREATE TRIGGER audit_is_fixed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are fixed'); END;`;

/** The first schema: wishes, work and people. */
export const firstJournal: Migration = {
  number: 1,
  title: 'the journal of milestone A',
  migrate(database) {
    database.exec(wishes);
    database.exec(work);
    database.exec(people);
  },
};
