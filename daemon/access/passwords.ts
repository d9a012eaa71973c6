import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { tooManyTries } from './refusal.ts';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane; some 45 ms of one core here. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;
/** Hashes made at once: half of the cores, and of libuv's four threads at most, so that nobody else is starved. */
const atOnceHere = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
/** Strangers that wait for their turn; more are told to come back. Known devices wait in a line of their own. */
const mostWaiting = 24;
/** What somebody is told to wait when the line is full, seconds. */
const comeBackAfter = 5;

/** Cost and salt and hash in the PHC string format, as argon2's own tools write them. */
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]{16,64})\$([\w+/]{22,128})$/;

interface Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** Hashes and checks passwords with argon2id, few at a time. */
export class Passwords {
  readonly #atOnce: number;
  #running = 0;
  readonly #strangers: (() => void)[] = [];
  readonly #known: (() => void)[] = [];

  /** `atOnce`: hashes made at once; default what this machine can spare. */
  constructor(atOnce: number = atOnceHere) {
    this.#atOnce = atOnce;
  }

  /** Hash of a new password, as it is kept. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const digest = await this.#inTurn(true, () => derive(password, salt, hashBytes, cost));
    const { memory, passes, parallelism } = cost;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(digest)}`;
  }

  /**
   * Whether it is the password. Without a kept hash it takes the same time and is never right.
   * @throws AccessRefusal ACCESS-009 when too many wait already.
   */
  async isRight(password: string, kept: string | undefined, isKnownDevice: boolean): Promise<boolean> {
    const [, memory, passes, parallelism, salt = '', digest = ''] = phcPattern.exec(kept ?? '') ?? [];
    const expected = Buffer.from(digest, 'base64');
    const spend: Cost =
      memory === undefined
        ? cost
        : { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
    const saltOrNone = salt === '' ? randomBytes(saltBytes) : Buffer.from(salt, 'base64');
    const made = await this.#inTurn(isKnownDevice, () =>
      derive(password, saltOrNone, expected.length || hashBytes, spend),
    );
    return made.length === expected.length && timingSafeEqual(made, expected);
  }

  async #inTurn<T>(isKnown: boolean, act: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      const line = isKnown ? this.#known : this.#strangers;
      if (line.length >= mostWaiting) throw tooManyTries(comeBackAfter);
      await new Promise<void>((resolve) => {
        line.push(resolve);
      });
    } else {
      this.#running += 1;
    }
    try {
      return await act();
    } finally {
      // The turn is handed on, so that nobody new gets in between.
      const next = this.#known.shift() ?? this.#strangers.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

function derive(password: string, salt: Buffer, length: number, spend: Cost): Promise<Buffer> {
  // NIST SP 800-63B §3.1.1.2: normalised, so that the same key strokes are the same password on every system.
  const message = Buffer.from(password.normalize('NFKC'), 'utf8');
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message, nonce: salt, tagLength: length, ...spend }, (error, digest) => {
      if (error) reject(error);
      else resolve(digest);
    });
  });
}

/** Without padding, as the PHC format wants it. */
const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
