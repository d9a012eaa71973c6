import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { Principal as PrincipalRecord, Principals, Token, TokenScope } from '../state/principals.ts';
import type { Identities } from './identities.ts';
import { writePrivateFile } from './private-file.ts';
import { type Principal, type Role, roleFrom } from './principals.ts';

/** 256 bits, as DESIGN §8 asks of anything that stands for a person. */
const secretBytes = 32;
/** Enough that two public names of tokens never meet; it is no secret. */
const idBytes = 6;
const day = 24 * 60 * 60_000;
/** Its use is written down at most this often. */
const noteUseEvery = 60_000;
/** Name of the administrator of the first start, and of the token made for it. */
const firstAdministrator = 'admin';

/** A token as it may be shown. */
export interface TokenView {
  readonly name: string;
  readonly role: string;
  readonly principal: string;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  /** To the minute. */
  readonly lastUsedAt?: Instant;
  readonly scope?: TokenScope;
}

/** What a new token is to be; `days` undefined = it does not expire (only the first one). */
export interface TokenWish {
  readonly name: string;
  readonly days: number | undefined;
  readonly scope?: TokenScope;
}

/** A new token, shown once. */
export interface IssuedToken {
  readonly view: TokenView;
  /** `<CA hash>.<secret>`: the CLI verifies the server by the first half before it says the second. */
  readonly token: string;
}

/** Draws a secret: 256 random bits, base64url. */
const drawSecret = (): string => randomBytes(secretBytes).toString('base64url');

/** What of a secret is kept. A random 256-bit value needs no slow hash: there is nothing to guess. */
const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** What {@link AccessTokens} stands on. */
export interface TokenParts {
  readonly principals: Principals;
  readonly identities: Identities;
  readonly authorityHash: string;
  readonly now?: () => number;
}

/** Bearer tokens: named, expiring, kept as hashes. Each stands for a service account or a person. */
export class AccessTokens {
  readonly #records: Principals;
  readonly #identities: Identities;
  readonly #authorityHash: string;
  readonly #now: () => number;

  constructor({ principals, identities, authorityHash, now = Date.now }: TokenParts) {
    this.#records = principals;
    this.#identities = identities;
    this.#authorityHash = authorityHash;
    this.#now = now;
  }

  /**
   * Makes the administrator's token at the first start and leaves it in `<folder>/admin-token`, readable by its owner
   * only. A lost or revoked one is made anew at the next start: who can write the state folder is the administrator.
   */
  ensureAdminToken(folder: string): { readonly path: string; readonly isNew: boolean } {
    const path = join(folder, 'admin-token');
    const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    if (kept !== '' && this.authenticate(kept) !== undefined) return { path, isNew: false };
    this.revoke(firstAdministrator);
    const { token } = this.issue({ name: firstAdministrator, role: 'admin', days: undefined });
    writePrivateFile(path, `${token}\n`);
    return { path, isNew: true };
  }

  /**
   * Issues a token of a service account of the same name, which is made, or given this role.
   * @throws UserProblem ACCESS-004 when the name is taken.
   */
  issue({ role, ...wish }: TokenWish & { readonly role: Role }): IssuedToken {
    this.#refuseTaken(wish.name);
    const account = this.account(wish.name);
    if (account) this.#records.setRoles(account.id, [role]);
    return this.issueTo((account ?? this.addAccount(wish.name, role)).id, wish);
  }

  /** Issues a token that stands for a principal. @throws UserProblem ACCESS-004 when the name is taken. */
  issueTo(principal: string, { name, days, scope }: TokenWish): IssuedToken {
    this.#refuseTaken(name);
    const secret = drawSecret();
    const token: Token = {
      hash: hashSecret(secret),
      id: randomBytes(idBytes).toString('hex'),
      principal,
      label: name,
      createdAt: this.#instant(0),
      ...(days === undefined ? {} : { expiresAt: this.#instant(days * day) }),
      ...(scope === undefined ? {} : { scope }),
    };
    this.#records.addToken(token);
    return { view: this.#viewOf(token), token: `${this.#authorityHash}.${secret}` };
  }

  /** Who a token stands for; undefined for unknown, revoked and expired ones alike. */
  authenticate(token: string): Principal | undefined {
    const record = this.#records.findToken(hashSecret(token.slice(token.lastIndexOf('.') + 1)));
    if (!record || !this.#isActive(record)) return undefined;
    const principal = this.#identities.find(record.principal);
    if (!principal) return undefined;
    const now = this.#now();
    if (now - Date.parse(record.lastUsedAt ?? '1970-01-01T00:00:00Z') >= noteUseEvery)
      this.#records.useToken(record.hash, this.#instant(0));
    const { label, scope } = record;
    return { ...principal, token: label, ...(scope === undefined ? {} : { scope }) };
  }

  /** Service accounts by name. */
  accounts(): readonly PrincipalRecord[] {
    return this.#records.list().filter(({ kind }) => kind === 'service');
  }

  /** The service account of that name. */
  account(name: string): PrincipalRecord | undefined {
    return this.#records.find('service', name);
  }

  /** @throws UserProblem ACCESS-005 when the name is taken. */
  addAccount(name: string, role: Role): PrincipalRecord {
    if (this.account(name))
      throw new UserProblem('ACCESS-005', `there is already a service account "${name}"`, {
        value: name,
        remedy: 'Choose another name.',
      });
    const record: PrincipalRecord = {
      id: `token:${name}`,
      name,
      kind: 'service',
      roles: [role],
      createdAt: this.#instant(0),
    };
    this.#records.add(record);
    return record;
  }

  /** Forgets an account with its tokens and grants, at once. @returns false when there is none. */
  removeAccount(name: string): boolean {
    const account = this.account(name);
    return account !== undefined && this.#records.remove(account.id);
  }

  /** Tokens that are neither revoked nor expired, of one principal or of all. */
  list(principal?: string): readonly TokenView[] {
    return this.#active(principal).map((token) => this.#viewOf(token));
  }

  /** Revokes by name, of one principal or of any; works at once. @returns false when there is none. */
  revoke(name: string, principal?: string): boolean {
    const held = this.#active(principal).filter((token) => token.label === name);
    for (const token of held) this.#records.revokeToken(token.id, this.#instant(0));
    return held.length > 0;
  }

  #viewOf({ label, principal, createdAt, expiresAt, lastUsedAt, scope }: Token): TokenView {
    return {
      name: label,
      role: roleFrom(this.#records.get(principal)?.roles ?? []),
      principal,
      createdAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
      ...(scope === undefined ? {} : { scope }),
    };
  }

  #active(only?: string): readonly Token[] {
    const ids = only === undefined ? this.#records.list().map(({ id }) => id) : [only];
    return ids.flatMap((id) => this.#records.listTokens(id)).filter((token) => this.#isActive(token));
  }

  #isActive(token: Token): boolean {
    if (token.revokedAt !== undefined) return false;
    return token.expiresAt === undefined || Date.parse(token.expiresAt) > this.#now();
  }

  #refuseTaken(name: string): void {
    if (!this.#active().some((token) => token.label === name)) return;
    throw new UserProblem('ACCESS-004', `there is already a token named "${name}"`, {
      value: name,
      remedy: `Choose another name, or revoke it first: remuda token revoke ${name}`,
    });
  }

  #instant(offset: number): Instant {
    return new Date(this.#now() + offset).toISOString();
  }
}
