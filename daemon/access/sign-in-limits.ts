import { isIPv6 } from 'node:net';
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

interface Bucket {
  left: number;
  at: number;
}

interface Failures {
  count: number;
  notBefore: number;
  at: number;
}

/** Who knocks. */
export interface Caller {
  readonly address: string;
  /** Known device of this very account: it waits for nobody else's failures. */
  readonly device: string | undefined;
}

/**
 * Limits of sign-in. Those of an address hold up a guesser; those of an account hold up many guessers; neither holds up
 * a person at a browser in which she was signed in before. In memory: a restart forgets, and nobody outside can cause
 * one.
 */
export class SignInLimits {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #accounts = new Map<string, Failures>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @throws AccessRefusal ACCESS-009 with the seconds to wait. */
  admit(account: string, { address, device }: Caller): void {
    const wait = (this.#accounts.get(account)?.notBefore ?? 0) - this.#now();
    if (device === undefined && wait > 0) throw tooManyTries(Math.ceil(wait / 1000));
    this.#take(keyOf({ address, device }), tries, refillEvery);
  }

  /** Nothing was guessed, because nobody could be asked: the try comes back. */
  giveBack({ address, device }: Caller): void {
    const key = keyOf({ address, device });
    const known = this.#buckets.get(key);
    if (known) known.left = Math.min(tries, known.left + 1);
  }

  /** For codes that anybody may try. @throws AccessRefusal ACCESS-009. */
  admitCode(kind: 'setup' | 'invitation'): void {
    this.#take(`code ${kind}`, codeTries, codeRefillEvery);
  }

  /** A wrong password, or a wrong one-time code after a right one. */
  failed(account: string): void {
    const now = this.#now();
    const known = this.#accounts.get(account);
    const count = known && now - known.at < forgetAfter ? known.count + 1 : 1;
    const delay = count < freeFailures ? 0 : Math.min(longestDelay, firstDelay * 2 ** (count - freeFailures));
    remember(this.#accounts, account, { count, notBefore: now + delay, at: now });
  }

  /** A good sign-in clears the account. */
  succeeded(account: string): void {
    this.#accounts.delete(account);
  }

  /** Addresses, devices and accounts in memory. */
  get remembered(): number {
    return this.#buckets.size + this.#accounts.size;
  }

  #take(key: string, capacity: number, every: number): void {
    const now = this.#now();
    const known = this.#buckets.get(key) ?? { left: capacity, at: now };
    const left = Math.min(capacity, known.left + (now - known.at) / every);
    if (left < 1) throw tooManyTries(Math.ceil(((1 - left) * every) / 1000));
    remember(this.#buckets, key, { left: left - 1, at: now });
  }
}

const keyOf = ({ address, device }: Caller): string =>
  device === undefined ? `address ${networkOf(address)}` : `device ${device}`;

/** Keeps the map short: what was touched last stands last, and the first is dropped. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest);
}

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
