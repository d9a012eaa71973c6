import type Database from 'better-sqlite3';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Agents } from './agents.ts';
import { AlertRecords } from './alerts.ts';
import { Approvals } from './approvals.ts';
import { Answers } from './answers.ts';
import { Attempts } from './attempts.ts';
import { Audit } from './audit.ts';
import { AuditExportRecords } from './audit-exports.ts';
import { BackupRemovals } from './backup-removals.ts';
import { Backups } from './backups.ts';
import { Leftovers } from './leftovers.ts';
import { type Clock, systemClock } from './clock.ts';
import { CertificateWarnings } from './certificate-warnings.ts';
import { Clusters } from './clusters.ts';
import { closeDatabase, type LastStop, openDatabase, syncFolder } from './database.ts';
import { DirectoryRecords } from './directories.ts';
import { Events } from './events.ts';
import { Journal } from './journal.ts';
import { Machines } from './machines.ts';
import type { Migration } from './migrations/migration.ts';
import { migrations } from './migrations/history.ts';
import { Operations } from './operations.ts';
import { Plans } from './plans.ts';
import { PolicyRecords } from './policies.ts';
import { Principals } from './principals.ts';
import { Providers } from './providers.ts';
import { Reserve } from './reserve.ts';
import { Retirements } from './retirements.ts';
import { Revisions } from './revisions.ts';
import { AnswerDrafts } from './answer-drafts.ts';
import { Credentials } from './credentials.ts';
import { Grants } from './grants.ts';
import { HealthRecords } from './health.ts';
import { Sessions } from './sessions.ts';
import { Setup } from './setup.ts';
import { SignInLimitRecords } from './sign-in-limits.ts';
import { Users } from './users.ts';
import { Secrets } from './secrets.ts';
import { Steps } from './steps.ts';

/** Where the state lives and how it is kept. */
export interface StateOptions {
  /** Folder of its own, made 0700 when missing. */
  readonly folder: string;
  /** Bytes kept free for the journal. Default 64 MiB: outcomes of some ten thousand steps. */
  readonly reserveBytes?: number;
  /** How long a write may wait for company, milliseconds, at most 5; default 2. */
  readonly groupDelay?: number;
  readonly clock?: Clock;
  /** For tests of migrations; default all of this release. */
  readonly migrations?: readonly Migration[];
}

const defaultReserve = 64 * 1024 * 1024;

/** Everything the daemon remembers: one SQLite file, one repository a noun. */
export class State {
  readonly database: Database.Database;
  /** How the last process that held this state ended. */
  readonly lastStop: LastStop;
  /** Backup made by this opening, when it migrated. */
  readonly backup: string | undefined;
  readonly journal: Journal;
  readonly agents: Agents;
  readonly alerts: AlertRecords;
  readonly answers: Answers;
  readonly approvals: Approvals;
  readonly attempts: Attempts;
  readonly audit: Audit;
  readonly auditExports: AuditExportRecords;
  readonly backups: Backups;
  readonly backupRemovals: BackupRemovals;
  readonly leftovers: Leftovers;
  readonly certificateWarnings: CertificateWarnings;
  readonly clusters: Clusters;
  readonly directories: DirectoryRecords;
  readonly events: Events;
  readonly machines: Machines;
  readonly operations: Operations;
  readonly plans: Plans;
  readonly policies: PolicyRecords;
  readonly principals: Principals;
  readonly providers: Providers;
  readonly retirements: Retirements;
  readonly revisions: Revisions;
  readonly answerDrafts: AnswerDrafts;
  readonly credentials: Credentials;
  readonly grants: Grants;
  readonly health: HealthRecords;
  readonly sessions: Sessions;
  readonly setup: Setup;
  readonly signInLimits: SignInLimitRecords;
  readonly users: Users;
  readonly secrets: Secrets;
  readonly steps: Steps;

  /** Opens (or makes) the state; {@link openDatabase} says what it throws. */
  constructor(options: StateOptions) {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const opened = openDatabase(join(options.folder, 'state.db'), options.migrations ?? migrations);
    const { database } = opened;
    syncFolder(options.folder);
    this.database = database;
    this.lastStop = opened.lastStop;
    this.backup = opened.backup;
    this.journal = new Journal({
      database,
      reserve: new Reserve(join(options.folder, 'reserve'), options.reserveBytes ?? defaultReserve),
      clock: options.clock ?? systemClock,
      ...(options.groupDelay === undefined ? {} : { groupDelay: options.groupDelay }),
    });
    this.agents = new Agents(database);
    this.alerts = new AlertRecords(database);
    this.answers = new Answers(database);
    this.approvals = new Approvals(database);
    this.attempts = new Attempts(database);
    this.audit = new Audit(database);
    this.auditExports = new AuditExportRecords(database);
    this.backups = new Backups(database);
    this.backupRemovals = new BackupRemovals(database);
    this.leftovers = new Leftovers(database);
    this.certificateWarnings = new CertificateWarnings(database);
    this.clusters = new Clusters(database);
    this.directories = new DirectoryRecords(database);
    this.events = new Events(database);
    this.machines = new Machines(database);
    this.operations = new Operations(database);
    this.plans = new Plans(database);
    this.policies = new PolicyRecords(database);
    this.principals = new Principals(database);
    this.providers = new Providers(database);
    this.retirements = new Retirements(database);
    this.revisions = new Revisions(database);
    this.answerDrafts = new AnswerDrafts(database);
    this.credentials = new Credentials(database);
    this.grants = new Grants(database);
    this.health = new HealthRecords(database);
    this.sessions = new Sessions(database);
    this.setup = new Setup(database);
    this.signInLimits = new SignInLimitRecords(database, options.clock ?? systemClock);
    this.users = new Users(database);
    this.secrets = new Secrets(database);
    this.steps = new Steps(database);
  }

  /** Name of the cluster that an operation is about; undefined when there is no such operation. */
  clusterOfOperation(id: string): string | undefined {
    const operation = this.operations.get(id);
    return operation && this.clusters.nameOf(operation.cluster);
  }

  /** Commits what waits and closes; the next start finds a clean stop. */
  close(): void {
    this.journal.close();
    this.signInLimits.flush();
    closeDatabase(this.database);
  }
}
