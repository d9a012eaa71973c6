import type { HealthReport, WatchedCluster } from '../../../appliance/agent/protocol/watch.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import type { ClusterCondition } from '../../state/health.ts';
import type { AgentLink } from '../link.ts';

/** An agent that comes back within this was not away: it was restarted, or the line blinked. */
const grace: Duration = 30_000;

/** Clusters in one message to an agent: their sealed keys are some kilobytes each. */
const batch = 20;

/** A cluster as the agent is told of it, and the same as text, to tell whether it has changed. */
export interface WatchEntry {
  readonly cluster: WatchedCluster;
  readonly text: string;
}

/** One site's agent as far as health goes: whether it is there, whom it watches, of whom it has spoken. */
export class SiteWatch {
  readonly #name: string;
  readonly #link: AgentLink;
  /** Uid → what the agent was told of it, as text. */
  readonly #told = new Map<string, string>();
  /** Clusters that the agent has spoken of since it came. */
  readonly #confirmed = new Set<string>();
  #needsAll = true;
  #silentSince: number | undefined;

  /** `take`: keeps a report. `connected`: an agent has come. */
  constructor(
    name: string,
    link: AgentLink,
    on: { readonly take: (report: HealthReport) => Promise<void>; readonly connected: () => void },
  ) {
    this.#name = name;
    this.#link = link;
    link.health?.onHealth(async (report) => {
      // Of clusters that it was not told to watch nothing is taken.
      if (!this.#told.has(report.cluster)) return;
      await on.take(report);
      this.#confirmed.add(report.cluster);
    });
    link.onConnected(() => {
      this.#needsAll = true;
      on.connected();
    });
  }

  /** Since when nobody is there, once that is longer than a blink, milliseconds since the epoch. */
  awaySince(now: number): number | undefined {
    const since = this.#silentSince;
    return since !== undefined && now - since >= grace ? since : undefined;
  }

  hasSpokenOf(uid: string): boolean {
    return this.#confirmed.has(uid);
  }

  /** Whether somebody is there now, and may be asked; noted with the moment. */
  look(now: number): boolean {
    const { isConnected } = this.#link;
    if (isConnected) this.#silentSince = undefined;
    else {
      this.#silentSince ??= now;
      this.#needsAll = true;
    }
    if (this.awaySince(now) !== undefined) this.#confirmed.clear();
    return isConnected;
  }

  /** Tells the agent what it does not know yet of whom it is to watch. */
  tell(watched: ReadonlyMap<string, WatchEntry>, every: Duration): void {
    const { health } = this.#link;
    if (health === undefined) return;
    if (this.#needsAll) this.#told.clear();
    const changed = [...watched].flatMap(([uid, { text, cluster }]) =>
      this.#told.get(uid) === text ? [] : [{ uid, text, cluster }],
    );
    const gone = [...this.#told.keys()].filter((uid) => !watched.has(uid));
    if (!this.#needsAll && changed.length === 0 && gone.length === 0) return;
    const all = [...watched.keys()];
    for (let at = 0; at === 0 || at < changed.length; at += batch) {
      const set = changed.slice(at, at + batch).map(({ cluster }) => cluster);
      health.watch({ epoch: this.#link.epoch, every, all, set });
    }
    this.#needsAll = false;
    for (const uid of gone) this.#told.delete(uid);
    for (const { uid, text } of changed) this.#told.set(uid, text);
  }

  /** What the daemon itself says of the clusters of this site; undefined while it is a blink. */
  connection(now: number): ClusterCondition | undefined {
    const since = this.awaySince(now);
    if (since !== undefined) return this.#away(new Date(since).toISOString());
    if (this.#silentSince !== undefined) return undefined;
    return {
      type: 'AgentConnected',
      status: 'True',
      reason: 'Connected',
      message: `The agent of site ${this.#name} is connected.`,
      lastTransitionTime: new Date(now).toISOString(),
    };
  }

  #away(since: Instant): ClusterCondition {
    return {
      type: 'AgentConnected',
      status: 'False',
      severity: 'warning',
      reason: 'AgentAway',
      message: `The agent of site ${this.#name} is away since ${since}.`,
      remedy: `Look whether the agent runs and reaches this daemon. If it is lost for good: remuda agent token ${this.#name} --replace`,
      lastTransitionTime: since,
    };
  }
}
