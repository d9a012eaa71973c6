import { isIPv6 } from 'node:net';
import type { SignInLimitRecord, SignInLimitRecords } from '../state/sign-in-limits.ts';
import { tooManyTries } from './refusal.ts';

/** Tries that one address (or one known device) has at once, and how long one takes to come back, milliseconds. */
const tries = 10;
const refillEvery = 6_000;
/** Set-up codes and invitations: five a minute in all, whoever asks. */
const codeTries = 5;
const codeRefillEvery = 12_000;
/** Wrong passwords for one account before strangers have to wait; then twice as long each time. */
const freeFailures = 5;
const firstDelay = 1_000;
const longestDelay = 5 * 60_000;
/** A quiet account is forgotten after this time. */
const forgetAfter = 60 * 60_000;
/** Addresses and accounts remembered; the one that was quiet for longest is dropped first. */
const mostRemembered = 10_000;

type Counted = Omit<SignInLimitRecord, 'key' | 'kind'>;

/** Who knocks. */
export interface Caller {
  readonly address: string;
  /** Known device of this very account: it waits for nobody else's failures. */
  readonly device: string | undefined;
}

/** What {@link SignInLimits} stand on. */
export interface SignInLimitParts {
  readonly now: () => number;
  /** Where they outlive the process. */
  readonly records: Pick<SignInLimitRecords, 'load' | 'put' | 'remove'>;
  /** What stands for a subject in the records: a keyed hash. */
  readonly keyOf: (subject: string) => string;
}

/**
 * Limits of sign-in. Those of an address hold up a guesser; those of an account hold up many guessers; neither holds up
 * a person at a browser in which she was signed in before. They outlive a restart; a kill costs the last second.
 */
export class SignInLimits {
  readonly #parts: SignInLimitParts;
  readonly #buckets = new Map<string, Counted>();
  readonly #accounts = new Map<string, Counted>();

  constructor(parts: SignInLimitParts) {
    this.#parts = parts;
    const now = parts.now();
    for (const { key, kind, amount, at, notBefore } of parts.records.load(now - forgetAfter)) {
      // A clock that was set back must not make anybody wait for longer than the longest wait.
      const kept = { amount, at: Math.min(at, now), notBefore: Math.min(notBefore, now + longestDelay) };
      (kind === 'tries' ? this.#buckets : this.#accounts).set(key, kept);
    }
  }

  /** @throws AccessRefusal ACCESS-009 with the seconds to wait. */
  admit(account: string, { address, device }: Caller): void {
    const wait = (this.#accounts.get(this.#accountKey(account))?.notBefore ?? 0) - this.#parts.now();
    if (device === undefined && wait > 0) throw tooManyTries(Math.ceil(wait / 1000));
    this.#take(subjectOf({ address, device }), tries, refillEvery);
  }

  /** Nothing was guessed, because nobody could be asked: the try comes back. */
  giveBack({ address, device }: Caller): void {
    const key = this.#parts.keyOf(subjectOf({ address, device }));
    const known = this.#buckets.get(key);
    if (known) this.#remember('tries', key, { ...known, amount: Math.min(tries, known.amount + 1) });
  }

  /** For codes that anybody may try. @throws AccessRefusal ACCESS-009. */
  admitCode(kind: 'setup' | 'invitation'): void {
    this.#take(`code ${kind}`, codeTries, codeRefillEvery);
  }

  /** A wrong password, or a wrong one-time code after a right one. */
  failed(account: string): void {
    const now = this.#parts.now();
    const key = this.#accountKey(account);
    const known = this.#accounts.get(key);
    const count = known && now - known.at < forgetAfter ? known.amount + 1 : 1;
    const delay = count < freeFailures ? 0 : Math.min(longestDelay, firstDelay * 2 ** (count - freeFailures));
    this.#remember('failures', key, { amount: count, notBefore: now + delay, at: now });
  }

  /** A good sign-in clears the account. */
  succeeded(account: string): void {
    const key = this.#accountKey(account);
    if (this.#accounts.delete(key)) this.#parts.records.remove(key);
  }

  /** Addresses, devices and accounts that are remembered. */
  get remembered(): number {
    return this.#buckets.size + this.#accounts.size;
  }

  #accountKey(account: string): string {
    return this.#parts.keyOf(`account ${account}`);
  }

  #take(subject: string, capacity: number, every: number): void {
    const now = this.#parts.now();
    const key = this.#parts.keyOf(subject);
    const known = this.#buckets.get(key) ?? { amount: capacity, at: now };
    const left = Math.min(capacity, known.amount + (now - known.at) / every);
    if (left < 1) throw tooManyTries(Math.ceil(((1 - left) * every) / 1000));
    this.#remember('tries', key, { amount: left - 1, at: now, notBefore: 0 });
  }

  /** Keeps the map and the records short: what was touched last stands last, and the first is dropped. */
  #remember(kind: SignInLimitRecord['kind'], key: string, counted: Counted): void {
    const map = kind === 'tries' ? this.#buckets : this.#accounts;
    const { records } = this.#parts;
    map.delete(key);
    map.set(key, counted);
    records.put({ key, kind, ...counted });
    const [oldest] = map.keys();
    if (map.size <= mostRemembered || oldest === undefined) return;
    map.delete(oldest);
    records.remove(oldest);
  }
}

const subjectOf = ({ address, device }: Caller): string =>
  device === undefined ? `address ${networkOf(address)}` : `device ${device}`;

/** An IPv6 host has a whole /64 to knock from (RFC 6177); IPv4 seen through an IPv6 socket is IPv4. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return groups.slice(0, 4).join(':');
}
