import type Database from 'better-sqlite3';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** What was asked of a cluster at one time. Never changed. */
export interface RevisionRecord {
  /** uid. */
  readonly cluster: string;
  /** From 1. */
  readonly number: number;
  /** Digest over both documents: equal digests ask for the same. */
  readonly digest: string;
  /** The completed Cluster document; holds no secret. */
  readonly document: JsonObject;
  /** The completed Provider document it was applied with. */
  readonly providerDocument: JsonObject;
  /** The file as it was written, without its secrets. */
  readonly text: string;
  /** Its name for messages, as the user gave it. */
  readonly file: string;
  readonly principal: string;
  readonly at: Instant;
}

interface Row {
  readonly cluster: string;
  readonly number: number;
  readonly digest: string;
  readonly document: string;
  readonly provider_document: string;
  readonly text: string;
  readonly file: string;
  readonly principal: string;
  readonly at: string;
}

const recordOf = (row: Row): RevisionRecord => ({
  cluster: row.cluster,
  number: row.number,
  digest: row.digest,
  document: JSON.parse(row.document) as JsonObject,
  providerDocument: JSON.parse(row.provider_document) as JsonObject,
  text: row.text,
  file: row.file,
  principal: row.principal,
  at: row.at,
});

/** Revisions of clusters' wishes. */
export class Revisions {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  add(record: RevisionRecord): void {
    this.#database
      .prepare('INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        record.cluster,
        record.number,
        record.digest,
        JSON.stringify(record.document),
        JSON.stringify(record.providerDocument),
        record.text,
        record.file,
        record.principal,
        record.at,
      );
  }

  get(cluster: string, number: number): RevisionRecord | undefined {
    const row = this.#database
      .prepare<[string, number], Row>('SELECT * FROM revisions WHERE cluster = ? AND number = ?')
      .get(cluster, number);
    return row && recordOf(row);
  }

  /** Number and digest of the newest one: what lists show. */
  head(cluster: string): Pick<RevisionRecord, 'number' | 'digest'> | undefined {
    return this.#database
      .prepare<[string], Pick<Row, 'number' | 'digest'>>(
        'SELECT number, digest FROM revisions WHERE cluster = ? ORDER BY number DESC LIMIT 1',
      )
      .get(cluster);
  }

  /** The newest documents of all living clusters, by name. */
  newestDocuments(): readonly JsonObject[] {
    return this.#database
      .prepare<[], Pick<Row, 'document'>>(
        `SELECT document FROM clusters JOIN revisions ON cluster = uid
         WHERE deleted_at IS NULL AND number = (SELECT max(number) FROM revisions WHERE cluster = uid) ORDER BY name`,
      )
      .all()
      .map(({ document }) => JSON.parse(document) as JsonObject);
  }

  /** Documents of a cluster from before a revision, the newest first, at most 100. */
  documentsBefore(cluster: string, number: number): readonly JsonObject[] {
    return this.#database
      .prepare<[string, number], Pick<Row, 'document'>>(
        'SELECT document FROM revisions WHERE cluster = ? AND number < ? ORDER BY number DESC LIMIT 100',
      )
      .all(cluster, number)
      .map(({ document }) => JSON.parse(document) as JsonObject);
  }

  newest(cluster: string): RevisionRecord | undefined {
    const row = this.#database
      .prepare<[string], Row>('SELECT * FROM revisions WHERE cluster = ? ORDER BY number DESC LIMIT 1')
      .get(cluster);
    return row && recordOf(row);
  }
}
