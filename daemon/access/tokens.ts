import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { TokenRecord, Tokens } from './records.ts';
import { writePrivateFile } from './private-file.ts';
import { type Principal, type Role, roles } from './principals.ts';

/** 256 bits, as OWASP and DESIGN §8 ask of anything that stands for a person. */
const secretBytes = 32;
const day = 24 * 60 * 60_000;
/** Name of the token made at the first start. */
export const adminTokenName = 'admin';
/** Last use is written at most this often, so that reading does not write to the disk each time. */
const lastUseGranularity = 60_000;

/** A token as it may be shown. */
export type TokenView = Omit<TokenRecord, 'hash'>;

/** A new token, shown once. */
export interface IssuedToken {
  readonly view: TokenView;
  /** `<CA hash>.<secret>`: the CLI verifies the server by the first half before it says the second. */
  readonly token: string;
}

/** Draws a secret: 256 random bits, base64url. */
export const drawSecret = (): string => randomBytes(secretBytes).toString('base64url');

/** What of a secret is kept. A random 256-bit value needs no slow hash: there is nothing to guess. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Bearer tokens: named, expiring, kept as hashes. */
export class AccessTokens {
  readonly #records: Tokens;
  readonly #authorityHash: string;
  readonly #now: () => number;

  constructor(records: Tokens, authorityHash: string, now: () => number = Date.now) {
    this.#records = records;
    this.#authorityHash = authorityHash;
    this.#now = now;
  }

  /**
   * Makes the administrator's token at the first start and leaves it in `<folder>/admin-token`, readable by its owner
   * only. A lost file is made anew at the next start (who can write the state folder is the administrator).
   */
  ensureAdminToken(folder: string): string {
    const path = join(folder, 'admin-token');
    const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    if (kept !== '' && this.authenticate(kept) !== undefined) return path;
    this.#records.remove(adminTokenName);
    const { token } = this.issue({
      name: adminTokenName,
      role: 'admin',
      days: undefined,
      createdBy: 'first-start',
    });
    writePrivateFile(path, `${token}\n`);
    return path;
  }

  /**
   * Issues a token; `days` undefined = it does not expire (only the first one).
   * @throws UserProblem ACCESS-004 when the name is taken.
   */
  issue(request: {
    readonly name: string;
    readonly role: Role;
    readonly days: number | undefined;
    readonly createdBy: string;
  }): IssuedToken {
    if (this.#records.list().some((record) => record.name === request.name)) {
      throw new UserProblem('ACCESS-004', `there is already a token named "${request.name}"`, {
        value: request.name,
        remedy: `Choose another name, or revoke it first: remuda token revoke ${request.name}`,
      });
    }
    const secret = drawSecret();
    const record: TokenRecord = {
      hash: hashSecret(secret),
      name: request.name,
      role: request.role,
      createdBy: request.createdBy,
      createdAt: this.#instant(0),
      ...(request.days === undefined ? {} : { expiresAt: this.#instant(request.days * day) }),
    };
    this.#records.add(record);
    return { view: withoutHash(record), token: `${this.#authorityHash}.${secret}` };
  }

  /** Who a token stands for; undefined for unknown, revoked and expired ones alike. */
  authenticate(token: string): Principal | undefined {
    const secret = token.slice(token.lastIndexOf('.') + 1);
    const record = this.#records.find(hashSecret(secret));
    if (!record) return undefined;
    if (record.expiresAt !== undefined && Date.parse(record.expiresAt) <= this.#now()) return undefined;
    const role = roles.find((known) => known === record.role);
    if (!role) return undefined;
    if (this.#now() - Date.parse(record.lastUsedAt ?? record.createdAt) >= lastUseGranularity) {
      this.#records.touch(record.hash, this.#instant(0));
    }
    return { id: `token:${record.name}`, name: record.name, role };
  }

  list(): readonly TokenView[] {
    return this.#records.list().map(withoutHash);
  }

  /** Revokes by name; works at once. @returns false when there is none. */
  revoke(name: string): boolean {
    return this.#records.remove(name);
  }

  #instant(offset: number): Instant {
    return new Date(this.#now() + offset).toISOString();
  }
}

function withoutHash(record: TokenRecord): TokenView {
  const { hash: _, ...view } = record;
  return view;
}
