import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { UserRecord } from '../state/users.ts';
import type { AccessKey } from './access-key.ts';

/** RFC 4226 §4 R6 asks for 160 bits; six digits each 30 s are what every authenticator knows (RFC 6238). */
const secretBytes = 20;
const period = 30;
/** Steps before and after now that are taken (RFC 6238 §5.2: one, for clocks that differ and slow fingers). */
const tolerance = 1;
const recoveryCodeCount = 10;
/** Crockford's base 32: no letter that could be another. Ten of them are 50 bits, and only the site's key can try them. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const recoveryLength = 10;

/** One-time codes and recovery codes of people. */
export class SecondFactors {
  readonly #key: AccessKey;
  readonly #now: () => number;

  constructor(key: AccessKey, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  /** A new secret: sealed to be kept, and open to be shown once. */
  draw(
    principal: string,
    name: string,
  ): { readonly sealed: string; readonly secret: string; readonly uri: string } {
    const secret = new Secret({ size: secretBytes });
    const uri = new TOTP({ issuer: 'Remuda', label: name, secret, period }).toString();
    return {
      sealed: this.#key.seal('second-factor', secret.base32, principal),
      secret: secret.base32,
      uri,
    };
  }

  /** The step of a good code that was not taken before, else undefined. */
  stepOf(user: UserRecord, code: string): number | undefined {
    const digits = code.replaceAll(/\s/g, '');
    if (user.factor === undefined || !/^\d{6}$/.test(digits)) return undefined;
    const secret = Secret.fromBase32(this.#key.open('second-factor', user.factor, user.principal));
    const delta = new TOTP({ secret, period }).validate({
      token: digits,
      timestamp: this.#now(),
      window: tolerance,
    });
    if (delta === null) return undefined;
    const step = Math.floor(this.#now() / 1000 / period) + delta;
    // RFC 6238 §5.2: a code that was accepted once is not accepted again.
    return step > user.factorStep ? step : undefined;
  }

  /** New recovery codes: to be shown once, and what of them is kept. */
  drawRecovery(principal: string): { readonly codes: readonly string[]; readonly kept: readonly string[] } {
    const codes = Array.from({ length: recoveryCodeCount }, () => {
      const letters = Array.from({ length: recoveryLength }, () => alphabet[randomInt(alphabet.length)]).join(
        '',
      );
      return `${letters.slice(0, 5)}-${letters.slice(5)}`;
    });
    return { codes, kept: codes.map((code) => this.#keptOf(principal, code)) };
  }

  /** What is left of the recovery codes when this one is used; undefined when it is none of them. */
  useRecovery(user: UserRecord, code: string): readonly string[] | undefined {
    const kept = this.#keptOf(user.principal, code);
    return user.recovery.includes(kept) ? user.recovery.filter((one) => one !== kept) : undefined;
  }

  #keptOf(principal: string, code: string): string {
    const plain = code
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, '')
      .replaceAll('o', '0')
      .replaceAll(/[il]/g, '1');
    return this.#key.sign('recovery-code', `${principal} ${plain}`);
  }
}
