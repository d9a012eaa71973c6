import type Database from 'better-sqlite3';
import type { Instant } from '../../provisioners/contract/time.ts';
import { jsonOrNull, optional, optionalJson } from './columns.ts';

/** Somebody who may ask: a person, a machine account, or Remuda itself. */
export interface Principal {
  readonly id: string;
  readonly name: string;
  readonly kind: 'person' | 'service' | 'system';
  readonly roles: readonly string[];
  readonly createdAt: Instant;
  readonly disabledAt?: Instant;
}

/** An API token: only the hash of its secret is kept. */
export interface Token {
  /** Hex SHA-256 of the secret part. */
  readonly hash: string;
  /** Short public name for lists and revoking. */
  readonly id: string;
  readonly principal: string;
  readonly label: string;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly revokedAt?: Instant;
  /** To the minute. */
  readonly lastUsedAt?: Instant;
  /** What it is cut down to. */
  readonly scope?: TokenScope;
}

/** What a token is cut down to; what is absent is not narrowed. */
export interface TokenScope {
  readonly verbs?: readonly string[];
  readonly clusters?: readonly string[];
}

interface PrincipalRow {
  readonly id: string;
  readonly name: string;
  readonly kind: Principal['kind'];
  readonly roles: string;
  readonly created_at: string;
  readonly disabled_at: string | null;
}

interface TokenRow {
  readonly hash: string;
  readonly id: string;
  readonly principal: string;
  readonly label: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
  readonly scope: string | null;
}

const principalOf = (row: PrincipalRow): Principal => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  roles: JSON.parse(row.roles) as string[],
  createdAt: row.created_at,
  ...(row.disabled_at === null ? {} : { disabledAt: row.disabled_at }),
});

const tokenOf = (row: TokenRow): Token => ({
  hash: row.hash,
  id: row.id,
  principal: row.principal,
  label: row.label,
  createdAt: row.created_at,
  ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  ...optional('lastUsedAt', row.last_used_at),
  ...optionalJson<'scope', TokenScope>('scope', row.scope),
});

/** Principals and their tokens. Every call is one statement, durable when it returns. */
export class Principals {
  readonly #database: Database.Database;
  readonly #get: Database.Statement<[string], PrincipalRow>;
  readonly #findToken: Database.Statement<[string], TokenRow>;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#get = database.prepare('SELECT * FROM principals WHERE id = ?');
    this.#findToken = database.prepare('SELECT * FROM tokens WHERE hash = ?');
  }

  /** @throws SqliteError SQLITE_CONSTRAINT when id or name is taken. */
  add(principal: Principal): void {
    this.#database
      .prepare('INSERT INTO principals VALUES (?, ?, ?, ?, ?, ?)')
      .run(
        principal.id,
        principal.name,
        principal.kind,
        JSON.stringify(principal.roles),
        principal.createdAt,
        principal.disabledAt ?? null,
      );
  }

  get(id: string): Principal | undefined {
    const row = this.#get.get(id);
    return row && principalOf(row);
  }

  /** Names are unique within a kind. */
  find(kind: Principal['kind'], name: string): Principal | undefined {
    const row = this.#database
      .prepare<[string, string], PrincipalRow>('SELECT * FROM principals WHERE kind = ? AND name = ?')
      .get(kind, name);
    return row && principalOf(row);
  }

  list(): readonly Principal[] {
    return this.#database
      .prepare<[], PrincipalRow>('SELECT * FROM principals ORDER BY name')
      .all()
      .map(principalOf);
  }

  setRoles(id: string, roles: readonly string[]): void {
    this.#database.prepare('UPDATE principals SET roles = ? WHERE id = ?').run(JSON.stringify(roles), id);
  }

  /** Disables, or (undefined) enables again. */
  disable(id: string, at: Instant | undefined): void {
    this.#database.prepare('UPDATE principals SET disabled_at = ? WHERE id = ?').run(at ?? null, id);
  }

  /** Forgets a principal with its tokens, sessions and grants; what it did stays in audit and operations. */
  remove(id: string): boolean {
    return this.#database.prepare('DELETE FROM principals WHERE id = ?').run(id).changes === 1;
  }

  addToken(token: Token): void {
    this.#database
      .prepare('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        token.hash,
        token.id,
        token.principal,
        token.label,
        token.createdAt,
        token.expiresAt ?? null,
        token.revokedAt ?? null,
        token.lastUsedAt ?? null,
        jsonOrNull(token.scope),
      );
  }

  /** The token with this hash, whatever its state: the caller judges expiry and revocation. */
  findToken(hash: string): Token | undefined {
    const row = this.#findToken.get(hash);
    return row && tokenOf(row);
  }

  useToken(hash: string, at: Instant): void {
    this.#database.prepare('UPDATE tokens SET last_used_at = ? WHERE hash = ?').run(at, hash);
  }

  listTokens(principal: string): readonly Token[] {
    return this.#database
      .prepare<[string], TokenRow>('SELECT * FROM tokens WHERE principal = ? ORDER BY created_at')
      .all(principal)
      .map(tokenOf);
  }

  /** Answers whether there was such a token, not yet revoked. */
  revokeToken(id: string, at: Instant): boolean {
    return (
      this.#database
        .prepare('UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
        .run(at, id).changes === 1
    );
  }
}
