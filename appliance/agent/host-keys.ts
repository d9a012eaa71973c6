import { fingerprintOf } from '../../provisioners/contract/host-key.ts';
import type { VisitedMachine } from '../../provisioners/contract/found.ts';
import type { HostPort } from '../../provisioners/contract/ports/host.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import { type KnownHosts, parseKnownHosts } from './ssh/known-hosts.ts';

/** A machine by the names it may stand under in a file of known hosts. */
interface Door {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** What a machine showed, and whether somebody vouched for it beforehand. */
interface ShownHostKey {
  /** Type and key. */
  readonly key: string;
  /** Absent when nobody gave host keys: whoever answers is shown to a person then. */
  readonly judged?: NonNullable<VisitedMachine['hostKey']>;
}

const typeOf = (key: string): string => key.split(' ')[0] ?? '';

/** The host keys that were given for machines of others, and what these machines show. */
export class HostKeys {
  readonly #master: string | undefined;
  readonly #known: KnownHosts | undefined;

  /** @throws UserProblem ADOPT-014 when the file of known hosts holds no host key */
  constructor(given: { readonly hostKey?: string; readonly knownHosts?: string }) {
    this.#master = given.hostKey;
    this.#known = given.knownHosts === undefined ? undefined : parseKnownHosts(given.knownHosts);
  }

  /**
   * What a machine shows, and what it may show. A machine with several keys is asked for one that was given.
   * @throws Transient SSH-001 when nobody answers, Blocked ADOPT-020 when this agent cannot look
   */
  async lookAt(host: HostPort, { name, address, port }: Door): Promise<ShownHostKey> {
    const expected = this.#known?.([address, name], port);
    const types = expected?.accepted.map(typeOf) ?? [];
    const key = await host.hostKeyAt?.(address, port, types);
    if (key === undefined)
      throw new Blocked('ADOPT-020', 'This agent cannot look at machines of others.', {
        remedy: 'Update the agent.',
      });
    if (expected === undefined) return { key };
    const revoked = new Set(expected.revoked.map(fingerprintOf));
    const given = expected.accepted.map(fingerprintOf).filter((one) => !revoked.has(one));
    return { key, judged: { shown: fingerprintOf(key), given } };
  }

  /**
   * The host key of the master that everything begins with: nothing is read from one that shows another.
   * @throws UserProblem ADOPT-001 (another key), ADOPT-013 (none was given for it); as {@link lookAt}
   */
  async requireOf(
    host: HostPort,
    { address, port }: { readonly address: string; readonly port: number },
  ): Promise<string> {
    const { key, judged } = await this.lookAt(host, { name: address, address, port });
    const shown = fingerprintOf(key);
    if (this.#master !== undefined && this.#master !== shown) throw another(address, shown, [this.#master]);
    if (judged === undefined || judged.given.includes(shown)) return key;
    if (judged.given.length > 0) throw another(address, shown, judged.given);
    throw new UserProblem('ADOPT-013', `the file of known hosts has no host key of ${address}`, {
      value: address,
      remedy: `It shows ${shown}. If that is its own (ssh-keygen -l there), add it to the file.`,
    });
  }
}

const another = (address: string, shown: string, given: readonly string[]): UserProblem =>
  new UserProblem('ADOPT-001', `${address} shows the host key ${shown}, not ${given.join(' or ')}`, {
    value: given[0] ?? '',
    remedy:
      'Find out on the machine which one is its own (ssh-keygen -l); if not that, somebody is in between.',
  });
