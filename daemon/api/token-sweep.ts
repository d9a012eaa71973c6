import type { Logger } from 'pino';
import { authorize } from '../access/authorize.ts';
import type { Identities } from '../access/identities.ts';
import type { CredentialDoors } from '../operations/credentials.ts';
import type { Clock } from '../state/clock.ts';
import type { CredentialRecord } from '../state/credentials.ts';
import type { State } from '../state/state.ts';
import { administrators, groupFor } from './cluster-credentials.ts';

/** How long after a change it is looked, so that the change is made by then; and when again after a failure. */
const afterChange = 1000;
const afterFailure = 60_000;

/** What {@link TokenSweep} stands on. */
export interface TokenSweepParts {
  readonly state: State;
  readonly identities: Identities;
  readonly credentials: Pick<CredentialDoors, 'revokeToken'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Revokes tokens inside clusters of people who may not have them any more: who were removed or disabled, lost their role
 * in the cluster, or are no administrators there any more. Certificates need none of this: they end within the hour.
 */
export class TokenSweep {
  readonly #parts: TokenSweepParts;
  #again: (() => void) | undefined;
  #isStarted = false;
  #isSweeping = false;

  constructor(parts: TokenSweepParts) {
    this.#parts = parts;
  }

  /** Looks now and after each change that the audit trail tells of. */
  start(): void {
    this.#isStarted = true;
    this.#parts.state.audit.onAppended(() => this.#lookAfter(afterChange));
    this.#lookAfter(afterChange);
  }

  stop(): void {
    this.#isStarted = false;
    this.#again?.();
  }

  #lookAfter(delay: number): void {
    if (!this.#isStarted || this.#again !== undefined) return;
    this.#again = this.#parts.clock.after(delay, () => {
      this.#again = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    if (this.#isSweeping) return this.#lookAfter(afterChange);
    this.#isSweeping = true;
    let isWell = true;
    for (const { record, cluster } of this.#unduly()) {
      if (!this.#isStarted) break;
      isWell = (await this.#revoke(record, cluster)) && isWell;
    }
    this.#isSweeping = false;
    if (!isWell) this.#lookAfter(afterFailure);
  }

  /** Tokens that nobody should hold. */
  #unduly(): { readonly record: CredentialRecord; readonly cluster: string }[] {
    const { state, clock } = this.#parts;
    const now = clock.now();
    return state.clusters.list().flatMap(({ uid, name }) =>
      state.credentials
        .list(uid)
        .filter(({ kind, revokedAt }) => kind === 'token' && revokedAt === undefined)
        .filter(({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > now)
        .filter((record) => !this.#mayHold(record, name))
        .map((record) => ({ record, cluster: name })),
    );
  }

  #mayHold({ principal: id, group }: CredentialRecord, cluster: string): boolean {
    const principal = this.#parts.identities.find(id);
    if (!principal || !authorize(principal, 'issue', { kind: 'credential', cluster })) return false;
    return group !== administrators || groupFor(principal, cluster) === administrators;
  }

  async #revoke({ id, principal }: CredentialRecord, cluster: string): Promise<boolean> {
    const { state, credentials, clock, logger } = this.#parts;
    try {
      await credentials.revokeToken(cluster, id);
      if (!this.#isStarted) return true;
      const at = new Date(clock.now()).toISOString();
      state.credentials.revoke(id, at, 'remuda');
      state.audit.append({
        at,
        principal: 'remuda',
        verb: 'credential.revoke',
        object: `credential/${cluster}/${id}`,
        outcome: 'allowed',
        detail: { of: principal, why: 'the role that it was given for is gone' },
      });
      return true;
    } catch (error) {
      logger.warn({ cluster, credential: id, err: error }, 'a token could not be revoked yet');
      return false;
    }
  }
}
