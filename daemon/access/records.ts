import type { Instant } from '../../provisioners/contract/time.ts';

/** One API token as it is kept: never the secret. */
export interface TokenRecord {
  /** sha256 of the secret, hexadecimal. */
  readonly hash: string;
  readonly name: string;
  readonly role: string;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly lastUsedAt?: Instant;
}

/** Where tokens are kept. */
export interface Tokens {
  add(record: TokenRecord): void;
  find(hash: string): TokenRecord | undefined;
  list(): readonly TokenRecord[];
  /** False when there is none of that name. */
  remove(name: string): boolean;
  touch(hash: string, at: Instant): void;
}

/** One audit row. `hash` covers everything else, so also the hash of the row before. */
export interface AuditRow {
  readonly number: number;
  readonly at: Instant;
  readonly principal: string;
  readonly verb: string;
  /** `cluster/prod-east`, `secret/dc1-vcenter`. */
  readonly object: string;
  /** `requested`, then `done`, `refused` or `failed`. */
  readonly outcome: string;
  /** Id of what came of it (an operation), or the problem's code. */
  readonly reference: string;
  readonly previous: string;
  readonly hash: string;
}

/** Where audit rows are kept: appended, never changed. */
export interface AuditRows {
  append(row: AuditRow): void;
  last(): AuditRow | undefined;
  list(after: number, limit: number): readonly AuditRow[];
}
