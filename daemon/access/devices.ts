import { randomBytes } from 'node:crypto';
import type { UserRecord } from '../state/users.ts';
import type { AccessKey } from './access-key.ts';

const idBytes = 12;

/**
 * Known devices: a browser in which somebody was signed in before proves it by a cookie, so that failures of strangers
 * do not hold her up. It opens nothing by itself. (OWASP: "slow down online guessing with device cookies".)
 */
export class KnownDevices {
  readonly #key: AccessKey;

  constructor(key: AccessKey) {
    this.#key = key;
  }

  /** A cookie value for this account. */
  draw(user: UserRecord): string {
    const id = randomBytes(idBytes).toString('base64url');
    return `${id}.${this.#key.sign('device', textOf(id, user))}`;
  }

  /** Id of the device when it is one of this account, else undefined. */
  idOf(cookie: string | undefined, user: UserRecord | undefined): string | undefined {
    const [, id, signature] = /^([\w-]{16})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
    if (id === undefined || signature === undefined || !user) return undefined;
    return this.#key.isSignature('device', textOf(id, user), signature) ? id : undefined;
  }
}

/** Bound to the account and to its epoch: a raised one forgets all devices. */
const textOf = (id: string, user: UserRecord): string => `${id} ${user.deviceEpoch} ${user.principal}`;
