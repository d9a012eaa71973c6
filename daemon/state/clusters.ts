import type Database from 'better-sqlite3';
import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { Observed, ObservedCertificate } from '../../provisioners/contract/observed.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { optional, optionalJson } from './columns.ts';

/** The keys a cluster is born with: the secret half sealed, the public half readable. */
export interface DrawnKeys {
  readonly sealed: Sealed;
  readonly public: ClusterPublicKeys;
}

/** A cluster as it is kept. */
export interface ClusterRecord {
  readonly uid: string;
  readonly name: string;
  readonly provider: string;
  readonly keys: DrawnKeys;
  /** What was last seen; its `at` says when. */
  readonly observed?: Observed;
  readonly createdAt: Instant;
  /** When an apply last found nothing to do. */
  readonly asAskedAt?: Instant;
  readonly deletedAt?: Instant;
}

/** A cluster in lists: without its keys, and without what was seen of it. */
export type ClusterEntry = Omit<ClusterRecord, 'keys' | 'observed'>;

/** Certificates of a cluster's masters, each as it was last seen. */
export interface SeenCertificates {
  /** When any was seen last. */
  readonly at: Instant;
  readonly certificates: readonly ObservedCertificate[];
}

/** uid and keys drawn for a cluster that is only planned yet. */
export interface DraftRecord {
  readonly name: string;
  readonly uid: string;
  readonly site: string;
  readonly keys: DrawnKeys;
  readonly at: Instant;
}

interface Row {
  readonly uid: string;
  readonly name: string;
  readonly provider: string;
  readonly sealed_keys: string;
  readonly public_keys: string;
  readonly observed: string | null;
  readonly created_at: string;
  readonly deleted_at: string | null;
  readonly as_asked_at: string | null;
}

type EntryRow = Omit<Row, 'sealed_keys' | 'public_keys' | 'observed'>;

interface DraftRow {
  readonly uid: string;
  readonly site: string;
  readonly sealed_keys: string;
  readonly public_keys: string;
  readonly at: string;
}

const keysOf = (row: { readonly sealed_keys: string; readonly public_keys: string }): DrawnKeys => ({
  sealed: row.sealed_keys,
  public: JSON.parse(row.public_keys) as ClusterPublicKeys,
});

const entryOf = (row: EntryRow): ClusterEntry => ({
  uid: row.uid,
  name: row.name,
  provider: row.provider,
  createdAt: row.created_at,
  ...optional('deletedAt', row.deleted_at),
  ...optional('asAskedAt', row.as_asked_at),
});

const recordOf = (row: Row): ClusterRecord => ({
  ...entryOf(row),
  keys: keysOf(row),
  ...optionalJson<'observed', Observed>('observed', row.observed),
});

/** Clusters, and drafts of clusters. */
export class Clusters {
  readonly #database: Database.Database;
  /** What was read of the certificates, by uid: lists ask often, and what was seen of a cluster may be large. */
  readonly #certificates = new Map<string, SeenCertificates>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** One that was forgotten and is taken in again goes on under its uid. */
  add(record: ClusterRecord): void {
    this.#database
      .prepare(
        `INSERT INTO clusters (uid, name, provider, sealed_keys, public_keys, created_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (uid) DO UPDATE SET name = excluded.name, provider = excluded.provider,
           sealed_keys = excluded.sealed_keys, public_keys = excluded.public_keys, created_at = excluded.created_at,
           deleted_at = NULL, as_asked_at = NULL WHERE deleted_at IS NOT NULL`,
      )
      .run(
        record.uid,
        record.name,
        record.provider,
        record.keys.sealed,
        JSON.stringify(record.keys.public),
        record.createdAt,
      );
  }

  /**
   * One that is none of ours and is swept: what was done to it stays, and it is never a living cluster. One that was known
   * before stays as it is.
   */
  addStray({
    uid,
    name,
    provider,
    at,
  }: Pick<ClusterRecord, 'uid' | 'name' | 'provider'> & { at: Instant }): void {
    this.#database
      .prepare(
        `INSERT INTO clusters (uid, name, provider, sealed_keys, public_keys, created_at, deleted_at)
         VALUES (?, ?, ?, '', '{}', ?, ?) ON CONFLICT (uid) DO NOTHING`,
      )
      .run(uid, name, provider, at, at);
  }

  get(uid: string): ClusterRecord | undefined {
    const row = this.#database.prepare<[string], Row>('SELECT * FROM clusters WHERE uid = ?').get(uid);
    return row && recordOf(row);
  }

  /** The living cluster of that name. */
  find(name: string): ClusterRecord | undefined {
    const row = this.#database
      .prepare<[string], Row>('SELECT * FROM clusters WHERE name = ? AND deleted_at IS NULL')
      .get(name);
    return row && recordOf(row);
  }

  /** Name of a cluster, also of one that is deleted. */
  nameOf(uid: string): string | undefined {
    return this.#database
      .prepare<[string], { name: string }>('SELECT name FROM clusters WHERE uid = ?')
      .get(uid)?.name;
  }

  /** Living clusters by name. */
  list(): readonly ClusterEntry[] {
    return this.#database
      .prepare<[], EntryRow>(
        `SELECT uid, name, provider, created_at, deleted_at, as_asked_at FROM clusters
         WHERE deleted_at IS NULL ORDER BY name`,
      )
      .all()
      .map(entryOf);
  }

  /** Sealed keys of a kept cluster as they are now: an agent may have been replaced since somebody last asked. */
  sealedKeys(uid: string): Sealed | undefined {
    return this.#database
      .prepare<[string], { sealed_keys: string }>('SELECT sealed_keys FROM clusters WHERE uid = ?')
      .get(uid)?.sealed_keys;
  }

  /** The same keys of a living cluster, sealed to others. */
  reseal(name: string, sealed: Sealed): void {
    this.#database
      .prepare('UPDATE clusters SET sealed_keys = ? WHERE name = ? AND deleted_at IS NULL')
      .run(sealed, name);
  }

  /** Other keys of a kept cluster: those that its authorities' rotation has come to. */
  setKeys(uid: string, keys: DrawnKeys): void {
    this.#database
      .prepare('UPDATE clusters SET sealed_keys = ?, public_keys = ? WHERE uid = ?')
      .run(keys.sealed, JSON.stringify(keys.public), uid);
  }

  /** Undefined when no master was ever visited. */
  certificates(uid: string): SeenCertificates | undefined {
    const known = this.#certificates.get(uid);
    if (known !== undefined) return known;
    const row = this.#database
      .prepare<[string], { at: string; certificates: string }>(
        `SELECT certificates_at AS at, certificates FROM clusters WHERE uid = ? AND certificates IS NOT NULL`,
      )
      .get(uid);
    if (row === undefined) return undefined;
    const certificates = JSON.parse(row.certificates) as readonly ObservedCertificate[];
    const seen = { at: row.at, certificates };
    this.#certificates.set(uid, seen);
    return seen;
  }

  setObserved(uid: string, observed: Observed): void {
    this.#database
      .prepare('UPDATE clusters SET observed = ? WHERE uid = ?')
      .run(JSON.stringify(observed), uid);
    if (observed.certificates === undefined) return;
    const certificates = [...observed.certificates, ...this.#notVisited(uid, observed)];
    this.#database
      .prepare('UPDATE clusters SET certificates = ?, certificates_at = ? WHERE uid = ?')
      .run(JSON.stringify(certificates), observed.at, uid);
    this.#certificates.delete(uid);
  }

  /** What was known of masters that are there and were not visited this time: their certificates end all the same. */
  #notVisited(uid: string, { certificates = [], machines, retired }: Observed): ObservedCertificate[] {
    const visited = new Set(certificates.map(({ machine }) => machine));
    const isThere = (name: string): boolean =>
      retired[name] === undefined &&
      (machines === undefined || machines.some((machine) => machine.name === name));
    return (this.certificates(uid)?.certificates ?? []).filter(
      ({ machine }) => !visited.has(machine) && isThere(machine),
    );
  }

  /** An apply found everything as asked. */
  setAsAsked(uid: string, at: Instant): void {
    this.#database.prepare('UPDATE clusters SET as_asked_at = ? WHERE uid = ?').run(at, uid);
  }

  /** Keeps the record for its history; the name is free again. */
  setDeleted(uid: string, at: Instant): void {
    this.#database.prepare('UPDATE clusters SET deleted_at = ? WHERE uid = ?').run(at, uid);
  }

  /** As {@link setDeleted}, and its keys and what was seen of it go: it lives on without us. */
  forget(uid: string, at: Instant): void {
    this.#database
      .prepare(
        `UPDATE clusters SET deleted_at = ?, sealed_keys = '', observed = NULL, certificates = NULL,
           certificates_at = NULL WHERE uid = ?`,
      )
      .run(at, uid);
    this.#certificates.delete(uid);
  }

  /**
   * The first draft of a name stays, so that two plans of one file name the same keys; unless keys are asked for of
   * another site, or signed by another authority.
   */
  addDraft(draft: DraftRecord): void {
    this.#database
      .prepare(
        `INSERT INTO drafts (name, uid, site, sealed_keys, public_keys, at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET uid = excluded.uid, site = excluded.site, at = excluded.at,
           sealed_keys = excluded.sealed_keys, public_keys = excluded.public_keys
         WHERE site <> excluded.site OR json_extract(public_keys, '$.authority')
           IS NOT json_extract(excluded.public_keys, '$.authority')`,
      )
      .run(draft.name, draft.uid, draft.site, draft.keys.sealed, JSON.stringify(draft.keys.public), draft.at);
  }

  findDraft(name: string): DraftRecord | undefined {
    const row = this.#database.prepare<[string], DraftRow>('SELECT * FROM drafts WHERE name = ?').get(name);
    return row && { name, uid: row.uid, site: row.site, at: row.at, keys: keysOf(row) };
  }

  removeDraft(name: string): void {
    this.#database.prepare('DELETE FROM drafts WHERE name = ?').run(name);
  }

  /** Drafts hold keys sealed to an agent that is no longer there. */
  removeDraftsOf(site: string): void {
    this.#database.prepare('DELETE FROM drafts WHERE site = ?').run(site);
  }
}
