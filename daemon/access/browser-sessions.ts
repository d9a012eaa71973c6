import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionRecord, Sessions } from '../state/sessions.ts';
import type { Identities } from './identities.ts';
import type { Principal } from './principals.ts';

/** 256 bits, as DESIGN §8 asks of anything that stands for a person. */
const secretBytes = 32;
const idBytes = 9;
/** A session that nobody uses ends after an hour, any session after a working day (NIST SP 800-63B, AAL2: 1 h / 24 h). */
const idleFor = 60 * 60_000;
const longestSession = 12 * 60 * 60_000;
/** Using it is written down at most this often. */
const renewEvery = 60_000;
const pruneEvery = 60 * 60_000;

/** A session with whom it stands for. */
export interface BrowserSession {
  readonly record: SessionRecord;
  readonly principal: Principal;
  /** What the page must send back with each change. */
  readonly csrf: string;
}

/** A new session and its cookie's value, which is not kept. */
export interface NewSession extends BrowserSession {
  readonly secret: string;
}

/** Sessions of browsers: opaque, kept as hashes, bounded by idle time and age. */
export class BrowserSessions {
  readonly #records: Sessions;
  readonly #identities: Identities;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #prunedAt = 0;

  constructor(records: Sessions, identities: Identities, now: () => number = Date.now) {
    this.#records = records;
    this.#identities = identities;
    this.#now = now;
  }

  /** Starts one, always with a secret of its own: what a browser brought before is worth nothing for it. */
  start(principal: Principal, from: { readonly address: string; readonly browser: string }): NewSession {
    const now = this.#now();
    this.#prune(now);
    const secret = randomBytes(secretBytes).toString('base64url');
    const record: SessionRecord = {
      hash: hashOf(secret),
      id: randomBytes(idBytes).toString('hex'),
      principal: principal.id,
      createdAt: instant(now),
      lastSeenAt: instant(now),
      idleEndsAt: instant(now + idleFor),
      endsAt: instant(now + longestSession),
      address: from.address,
      browser: from.browser.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 200),
    };
    this.#records.add(record);
    return { record, principal, csrf: csrfOf(secret), secret };
  }

  /**
   * Whom a cookie stands for; undefined for unknown and ended ones alike. `isBackground`: a page that asks by itself
   * does not keep the session alive.
   */
  authenticate(secret: string, isBackground: boolean): BrowserSession | undefined {
    const record = this.#records.find(hashOf(secret));
    const now = this.#now();
    if (!record || Date.parse(record.endsAt) <= now || Date.parse(record.idleEndsAt) <= now) return undefined;
    const principal = this.#identities.find(record.principal);
    if (!principal) return undefined;
    const csrf = csrfOf(secret);
    if (isBackground || now - Date.parse(record.lastSeenAt) < renewEvery) return { record, principal, csrf };
    const lastSeenAt = instant(now);
    const idleEndsAt = instant(Math.min(now + idleFor, Date.parse(record.endsAt)));
    this.#records.renew(record.hash, lastSeenAt, idleEndsAt);
    return { record: { ...record, lastSeenAt, idleEndsAt }, principal, csrf };
  }

  /** Those that are under way, of one principal or of all. */
  list(principal?: string): readonly SessionRecord[] {
    const now = this.#now();
    return this.#records
      .list(principal)
      .filter((record) => Date.parse(record.endsAt) > now && Date.parse(record.idleEndsAt) > now);
  }

  /** Ends one at once. @returns false when there is none. */
  end(id: string): boolean {
    const wasThere = this.#records.end(id);
    this.#tell();
    return wasThere;
  }

  /** Ends all of a principal but the one that is named. */
  endAll(principal: string, but?: string): void {
    this.#records.endAll(principal, but);
    this.#tell();
  }

  /** Calls back when sessions were ended, so that live connections look again; the answer ends it. */
  onEnded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #prune(now: number): void {
    if (now - this.#prunedAt < pruneEvery) return;
    this.#prunedAt = now;
    this.#records.prune(instant(now));
  }
}

/** Compares what a page sent with what its session has, in constant time. */
export function isCsrf(expected: string, given: string | undefined): boolean {
  const [mine, theirs] = [Buffer.from(expected), Buffer.from(given ?? '')];
  return mine.length === theirs.length && timingSafeEqual(mine, theirs);
}

/** A random 256-bit value needs no slow hash: there is nothing to guess. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Made from the secret, so that it is not kept and cannot be another session's. */
const csrfOf = (secret: string): string => createHmac('sha256', secret).update('csrf').digest('base64url');

const instant = (milliseconds: number): string => new Date(milliseconds).toISOString();
