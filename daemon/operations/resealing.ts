import { createHash } from 'node:crypto';
import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { AgentLink } from './link.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';

/** Something that is kept sealed: a user's secret, or the keys a cluster was born with. */
export interface SealedItem {
  readonly kind: 'secret' | 'cluster-keys';
  /** Name of the secret or of the cluster. */
  readonly name: string;
  readonly sealed: Sealed;
  /** `sha256:<hex>` of the sealed text: names exactly this one when it is put back. */
  readonly digest: string;
  /** To whom it should be sealed now, besides the recovery key: the agents that work with it. */
  readonly recipients: readonly string[];
}

/** What a site's agent must be able to open. */
export interface SealedStore {
  readonly site: string;
  /** The site's agent as it enrolled, `age1…`. */
  readonly agent: string;
  readonly recovery: string;
  readonly items: readonly SealedItem[];
}

/** An item sealed anew. */
export interface ResealedItem extends Pick<SealedItem, 'kind' | 'name' | 'sealed'> {
  /** Digest of the sealed text it takes the place of. */
  readonly digest: string;
}

/** The doors of {@link Resealing}, which the API sees. */
export type ResealingDoors = Pick<Resealing, keyof Resealing>;

const digestOf = (sealed: Sealed): string => `sha256:${createHash('sha256').update(sealed).digest('hex')}`;

/**
 * After an agent was replaced: what is kept was sealed to its forerunner and to the recovery key. Whoever holds the
 * recovery key fetches it from here, opens it on their own machine, seals it to the new agent and puts it back; the
 * daemon itself can open nothing (DESIGN §1, §8).
 */
export class Resealing {
  readonly #recorder: Recorder;
  readonly #links: (site: string) => AgentLink;
  readonly #recovery: string | undefined;

  constructor(recorder: Recorder, links: (site: string) => AgentLink, recovery: string | undefined) {
    this.#recorder = recorder;
    this.#links = links;
    this.#recovery = recovery;
  }

  /** Everything that the site's agent works with. @throws Refusal when the site has no agent now */
  list(site: string): SealedStore {
    const { state } = this.#recorder;
    const agent = state.agents.get(site);
    if (agent === undefined) throw new Refusal('not-found', [problems.notFound('agent', site)]);
    if (agent.recipient === undefined || this.#recovery === undefined)
      throw new Refusal('unavailable', [problems.noRecipient()]);
    // A user's secret may serve any site, a cluster's keys only the agent of its own.
    const everyAgent = state.agents
      .list()
      .flatMap(({ recipient }) => (recipient === undefined ? [] : [recipient]));
    const secrets = state.secrets
      .list()
      .map(({ name, sealed }) => itemOf({ kind: 'secret', name, sealed }, everyAgent));
    const own = [agent.recipient];
    const keys = state.clusters
      .list()
      .filter(({ provider }) => state.providers.get(provider)?.site === site)
      .flatMap(({ uid, name }) => {
        const sealed = state.clusters.sealedKeys(uid);
        return sealed === undefined ? [] : [itemOf({ kind: 'cluster-keys', name, sealed }, own)];
      });
    return { site, agent: agent.recipient, recovery: this.#recovery, items: [...secrets, ...keys] };
  }

  /**
   * Takes the place of what was fetched; all of it or, where something was changed since, all but that.
   * @returns names of what was changed since: it was given anew, and so is sealed to the new agent already
   */
  async put(
    site: string,
    items: readonly ResealedItem[],
    principal: string,
  ): Promise<{ readonly resealed: number; readonly changedSince: readonly string[] }> {
    const answer = await this.#recorder.commit((note) => {
      const kept = new Map(this.list(site).items.map((item) => [`${item.kind}/${item.name}`, item]));
      const changedSince: string[] = [];
      for (const item of items) {
        if (kept.get(`${item.kind}/${item.name}`)?.digest === item.digest) this.#keep(item);
        else changedSince.push(item.name);
      }
      const resealed = items.length - changedSince.length;
      note({ type: 'agent.resealed', data: { site, principal, resealed } });
      return { resealed, changedSince };
    });
    if (answer.resealed > 0) this.#endWaits(site);
    return answer;
  }

  /**
   * Steps that were sent out with what the new agent cannot open wait for somebody to act. Their waits end; a step that
   * is given up without anybody having asked for it is planned and sent again, now with what it can open.
   */
  #endWaits(site: string): void {
    const { state } = this.#recorder;
    for (const { id, cluster } of state.operations.listUnfinished()) {
      if (state.providers.get(state.clusters.get(cluster)?.provider ?? '')?.site !== site) continue;
      for (const { key } of state.attempts.listOpen(id)) this.#links(site).cancel(key);
    }
  }

  #keep({ kind, name, sealed }: ResealedItem): void {
    const { secrets, clusters } = this.#recorder.state;
    if (kind === 'secret') secrets.reseal(name, sealed);
    else clusters.reseal(name, sealed);
  }
}

const itemOf = (
  item: Pick<SealedItem, 'kind' | 'name' | 'sealed'>,
  recipients: readonly string[],
): SealedItem => ({ ...item, digest: digestOf(item.sealed), recipients });
