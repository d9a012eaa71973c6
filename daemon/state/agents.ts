import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional } from './columns.ts';

/** A site and its one active agent. */
export interface AgentRecord {
  readonly site: string;
  /** Rises when the agent is replaced; an older one is refused. */
  readonly epoch: number;
  /** age recipient that secrets are sealed to; absent while nobody is enrolled. */
  readonly recipient?: string;
  readonly release?: string;
  readonly enrolledAt?: Instant;
  readonly lastSeen?: Instant;
  /** Highest report sequence of this epoch that is durable here. */
  readonly acknowledged: number;
}

/** An enrolment token: single use, for one site, only its hash. */
export interface EnrolmentRecord {
  readonly hash: string;
  readonly site: string;
  readonly principal: string;
  readonly expiresAt: Instant;
  readonly usedAt?: Instant;
}

interface Row {
  readonly site: string;
  readonly epoch: number;
  readonly recipient: string | null;
  readonly release: string | null;
  readonly enrolled_at: string | null;
  readonly last_seen: string | null;
  readonly acknowledged: number;
}

const recordOf = (row: Row): AgentRecord => ({
  site: row.site,
  epoch: row.epoch,
  acknowledged: row.acknowledged,
  ...optional('recipient', row.recipient),
  ...optional('release', row.release),
  ...optional('enrolledAt', row.enrolled_at),
  ...optional('lastSeen', row.last_seen),
});

/** Sites' agents and their enrolment tokens. */
export class Agents {
  readonly #database: Database.Database;
  readonly #acknowledge: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#acknowledge = database.prepare(
      'UPDATE agents SET acknowledged = max(acknowledged, ?), last_seen = ? WHERE site = ? AND epoch = ?',
    );
  }

  get(site: string): AgentRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM agents WHERE site = ?').get(site);
    return row && recordOf(row);
  }

  list(): readonly AgentRecord[] {
    return this.#database.prepare<[], Row>('SELECT * FROM agents ORDER BY site').all().map(recordOf);
  }

  /** Makes somebody the site's agent under the site's epoch (1 for a new site); answers the epoch. */
  enrol(
    site: string,
    agent: { readonly recipient: string; readonly release: string; readonly at: Instant },
  ): number {
    this.#database.prepare('INSERT OR IGNORE INTO agents (site, epoch) VALUES (?, 1)').run(site);
    this.#database
      .prepare('UPDATE agents SET recipient = ?, release = ?, enrolled_at = ? WHERE site = ?')
      .run(agent.recipient, agent.release, agent.at, site);
    return this.get(site)?.epoch ?? 0;
  }

  /** From now on the old agent is refused; its report numbers count for nothing. */
  raiseEpoch(site: string): void {
    this.#database
      .prepare(
        `INSERT INTO agents (site, epoch) VALUES (?, 1) ON CONFLICT (site) DO UPDATE SET epoch = epoch + 1,
           recipient = NULL, release = NULL, enrolled_at = NULL, acknowledged = 0`,
      )
      .run(site);
  }

  acknowledge(site: string, epoch: number, sequence: number, at: Instant): void {
    this.#acknowledge.run(sequence, at, site, epoch);
  }

  addEnrolment(record: EnrolmentRecord): void {
    this.#database
      .prepare('INSERT INTO enrolments (hash, site, principal, expires_at) VALUES (?, ?, ?, ?)')
      .run(record.hash, record.site, record.principal, record.expiresAt);
  }

  /**
   * Uses a token up, or finds the very request that did: the site, or undefined when the token is unknown, expired, or
   * used by another request. `by`: hash of the request.
   */
  useEnrolment(
    hash: string,
    by: string,
    at: Instant,
  ): { readonly site: string; readonly isRepeat: boolean } | undefined {
    const first = this.#database
      .prepare<[string, string, string, string], { site: string }>(
        `UPDATE enrolments SET used_at = ?, used_by = ? WHERE hash = ? AND used_at IS NULL AND expires_at > ? RETURNING site`,
      )
      .get(at, by, hash, at);
    if (first !== undefined) return { site: first.site, isRepeat: false };
    const again = this.#database
      .prepare<[string, string, string], { site: string }>(
        'SELECT site FROM enrolments WHERE hash = ? AND used_by = ? AND expires_at > ?',
      )
      .get(hash, by, at);
    return again && { site: again.site, isRepeat: true };
  }

  /** Tokens that were given out for a site die, also for a repeat of the request that used one. */
  removeEnrolments(site: string): void {
    this.#database.prepare('DELETE FROM enrolments WHERE site = ?').run(site);
  }
}
