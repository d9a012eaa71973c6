import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { Principals, Token } from '../state/principals.ts';
import { writePrivateFile } from './private-file.ts';
import { type Principal, type Role, roles } from './principals.ts';

/** 256 bits, as DESIGN §8 asks of anything that stands for a person. */
const secretBytes = 32;
/** Enough that two public names of tokens never meet; it is no secret. */
const idBytes = 6;
const day = 24 * 60 * 60_000;
/** Name of the administrator of the first start, and of the token made for it. */
const firstAdministrator = 'admin';

/** A token as it may be shown. */
export interface TokenView {
  readonly name: string;
  readonly role: string;
  readonly principal: string;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
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

/** Bearer tokens: named, expiring, kept as hashes. Each stands for a principal of its name. */
export class AccessTokens {
  readonly #records: Principals;
  readonly #authorityHash: string;
  readonly #now: () => number;

  constructor(records: Principals, authorityHash: string, now: () => number = Date.now) {
    this.#records = records;
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
   * Issues a token; `days` undefined = it does not expire (only the first one).
   * @throws UserProblem ACCESS-004 when the name is taken.
   */
  issue(request: {
    readonly name: string;
    readonly role: Role;
    readonly days: number | undefined;
  }): IssuedToken {
    if (this.#active().some((token) => token.label === request.name)) {
      throw new UserProblem('ACCESS-004', `there is already a token named "${request.name}"`, {
        value: request.name,
        remedy: `Choose another name, or revoke it first: remuda token revoke ${request.name}`,
      });
    }
    const secret = drawSecret();
    const principal = this.#principalNamed(request.name, request.role);
    const expiresAt = request.days === undefined ? undefined : this.#instant(request.days * day);
    const createdAt = this.#instant(0);
    this.#records.addToken({
      hash: hashSecret(secret),
      id: randomBytes(idBytes).toString('hex'),
      principal,
      label: request.name,
      createdAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    return {
      view: {
        name: request.name,
        role: request.role,
        principal,
        createdAt,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
      token: `${this.#authorityHash}.${secret}`,
    };
  }

  /** Who a token stands for; undefined for unknown, revoked and expired ones alike. */
  authenticate(token: string): Principal | undefined {
    const record = this.#records.findToken(hashSecret(token.slice(token.lastIndexOf('.') + 1)));
    if (!record || !this.#isActive(record)) return undefined;
    const principal = this.#records.get(record.principal);
    const role = roles.find((known) => principal?.roles.includes(known));
    if (!principal || !role || principal.disabledAt !== undefined) return undefined;
    return { id: principal.id, name: principal.name, role };
  }

  /** Tokens that are neither revoked nor expired. */
  list(): readonly TokenView[] {
    return this.#active().map((token) => this.#viewOf(token));
  }

  /** Revokes by name; works at once. @returns false when there is none. */
  revoke(name: string): boolean {
    const held = this.#active().filter((token) => token.label === name);
    for (const token of held) this.#records.revokeToken(token.id, this.#instant(0));
    return held.length > 0;
  }

  #viewOf(token: Token): TokenView {
    return {
      name: token.label,
      principal: token.principal,
      role: this.#records.get(token.principal)?.roles.join(', ') ?? '',
      createdAt: token.createdAt,
      ...(token.expiresAt === undefined ? {} : { expiresAt: token.expiresAt }),
    };
  }

  #active(): readonly Token[] {
    return this.#records
      .list()
      .flatMap((principal) => this.#records.listTokens(principal.id))
      .filter((token) => this.#isActive(token));
  }

  #isActive(token: Token): boolean {
    if (token.revokedAt !== undefined) return false;
    return token.expiresAt === undefined || Date.parse(token.expiresAt) > this.#now();
  }

  #principalNamed(name: string, role: Role): string {
    const known = this.#records.find('service', name);
    if (known) {
      this.#records.setRoles(known.id, [role]);
      return known.id;
    }
    const id = `token:${name}`;
    this.#records.add({ id, name, kind: 'service', roles: [role], createdAt: this.#instant(0) });
    return id;
  }

  #instant(offset: number): Instant {
    return new Date(this.#now() + offset).toISOString();
  }
}
