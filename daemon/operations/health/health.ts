import type { HealthNumbers } from '../../../provisioners/contract/health.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import type { ClusterEntry } from '../../state/clusters.ts';
import type { ClusterCondition, HealthTransition } from '../../state/health.ts';
import type { AgentLink } from '../link.ts';
import type { Planners } from '../planners.ts';
import { problems } from '../problems.ts';
import type { Recorder } from '../recorder.ts';
import { Refusal } from '../requests.ts';
import { HealthBook } from './book.ts';
import { SiteWatch, type WatchEntry } from './site-watch.ts';
import {
  type ClusterHealth,
  type Confidence,
  type HealthSummary,
  shownConditions,
  summaryOf,
  unfencedCondition,
} from './view.ts';
import { watchedCluster } from './watch-list.ts';

/** How health is watched. */
export interface HealthSettings {
  /** Pause between two looks at one cluster, milliseconds. */
  readonly every: Duration;
}

/** What watching over health needs. */
export interface HealthParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  /** Absent: nobody is watched, and everything is unknown. */
  readonly settings?: HealthSettings;
  /** Conditions of a cluster (uid) that the daemon finds in its own records; none while all is well. */
  readonly ownConditions?: (uid: string) => readonly ClusterCondition[];
}

/** What the API asks. */
export type HealthDoors = Pick<Health, 'get' | 'summary' | 'history' | 'watched' | 'conditions' | 'numbers'>;

/** How often it is looked who is there and whether the lists are right, milliseconds. */
const tick: Duration = 5000;

/** Who is watched, and by whom. */
interface Watched extends WatchEntry {
  readonly name: string;
  readonly site: string;
  /** Since when this process knows of it: what was seen before that counts for nothing. */
  readonly since: Instant;
}

/**
 * Health of all clusters: tells agents whom to watch, keeps what they tell, and says itself when nobody looks. What is
 * kept outlives the process; whether it may be believed does not.
 */
export class Health {
  readonly #parts: HealthParts;
  readonly #book: HealthBook;
  readonly #sites = new Map<string, SiteWatch>();
  /** By uid: made anew when something of the cluster has changed. */
  readonly #watched = new Map<string, Watched>();
  /** Names of clusters of which something has changed; `all` after what concerns everybody. */
  readonly #dirty = new Set<string>();
  #isAllDirty = true;
  #isKeeping = false;
  #endings: (() => void)[] = [];
  #endWait: () => void = () => {};
  readonly #listeners: (() => void)[] = [];

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#book = new HealthBook(parts.recorder);
  }

  start(): void {
    const { recorder, settings } = this.#parts;
    if (settings === undefined) return;
    this.#book.open();
    const unsubscribe = recorder.subscribe((item) => {
      if (item.type !== 'event' || item.event.type === 'cluster.health') return;
      if (item.event.cluster === undefined) this.#isAllDirty = true;
      else this.#dirty.add(item.event.cluster);
    });
    this.#endings = [unsubscribe, () => this.#endWait()];
    this.#beat();
  }

  stop(): void {
    for (const end of this.#endings.splice(0)) end();
  }

  /** Called after each look at who is there. */
  onBeat(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** @throws Refusal of reason `not-found` */
  get(name: string): ClusterHealth {
    const { uid } = this.#entry(name);
    const conditions = this.conditions(uid);
    const seenAt = this.#book.get(uid)?.seenAt;
    return {
      cluster: name,
      ...summaryOf(conditions),
      conditions,
      numbers: this.numbers(uid),
      ...(seenAt === undefined ? {} : { seenAt }),
    };
  }

  /** Of a living cluster in lists; undefined while nobody is to look after it. */
  summary(uid: string): HealthSummary | undefined {
    return this.#watched.has(uid) ? summaryOf(this.conditions(uid)) : undefined;
  }

  /** Changes of state, newest first, before a number. @throws Refusal of reason `not-found` */
  history(name: string, limit: number, before?: number): readonly HealthTransition[] {
    return this.#parts.recorder.state.health.history(this.#entry(name).uid, limit, before);
  }

  /** Clusters that somebody is to look after: uid, name and site. */
  watched(): readonly { readonly uid: string; readonly name: string; readonly site: string }[] {
    return [...this.#watched].map(([uid, { name, site }]) => ({ uid, name, site }));
  }

  /** Conditions as they may be believed now. */
  conditions(uid: string): readonly ClusterCondition[] {
    const { recorder, ownConditions } = this.#parts;
    const { state } = recorder;
    const shown = shownConditions(this.#book.get(uid), this.#confidence(uid));
    const own = [...unfencedCondition(state.retirements.list(uid)), ...(ownConditions?.(uid) ?? [])];
    return [...own, ...shown];
  }

  /** Numbers as they may be believed now; empty when nobody looks. */
  numbers(uid: string): HealthNumbers {
    return this.#confidence(uid).isFresh ? (this.#book.get(uid)?.numbers ?? {}) : {};
  }

  #entry(name: string): ClusterEntry {
    const found = this.#parts.recorder.state.clusters.find(name);
    if (found === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    return found;
  }

  #confidence(uid: string): Confidence {
    const { recorder } = this.#parts;
    const watched = this.#watched.get(uid);
    if (watched === undefined)
      return {
        isFresh: false,
        reason: 'NotWatched',
        why: 'Nobody looks after it: no operation has finished it, or it is being deleted.',
        since: this.#book.get(uid)?.seenAt ?? recorder.now(),
      };
    const site = this.#sites.get(watched.site);
    const awaySince = site?.awaySince(recorder.clock.now());
    if (awaySince !== undefined) {
      const since = new Date(awaySince).toISOString();
      return {
        isFresh: false,
        reason: 'AgentAway',
        why: `Nobody looks: the agent is away since ${since}.`,
        since,
      };
    }
    if (site?.hasSpokenOf(uid) !== true)
      return {
        isFresh: false,
        reason: 'NotLookedYet',
        why: 'The agent has not told of it yet.',
        since: watched.since,
      };
    return { isFresh: true };
  }

  #beat(): void {
    this.#look();
    for (const listener of this.#listeners) listener();
    this.#endWait = this.#parts.recorder.clock.after(tick, () => this.#beat());
  }

  #look(): void {
    this.#refresh();
    const names = new Set([...this.#watched.values()].map(({ site }) => site));
    for (const name of names) if (!this.#sites.has(name)) this.#sites.set(name, this.#meet(name));
    const now = this.#parts.recorder.clock.now();
    for (const [name, site] of this.#sites) {
      const watched = [...this.#watched].filter((entry) => entry[1].site === name);
      const isThere = site.look(now);
      if (isThere) site.tell(new Map(watched), this.#parts.settings?.every ?? 0);
      this.#noteConnection(
        watched.map(([uid]) => uid),
        site.connection(now),
      );
    }
  }

  #meet(name: string): SiteWatch {
    return new SiteWatch(name, this.#parts.links(name), {
      take: (report) => this.#book.take(report),
      connected: () => {
        this.#isAllDirty = true;
        if (this.#endings.length > 0) this.#look();
      },
    });
  }

  /** Makes anew what agents are told of clusters of which something has changed. */
  #refresh(): void {
    const { state } = this.#parts.recorder;
    if (!this.#isAllDirty && this.#dirty.size === 0) return;
    const living = state.clusters.list();
    const uids = new Set(living.map(({ uid }) => uid));
    for (const uid of this.#watched.keys()) if (!uids.has(uid)) this.#watched.delete(uid);
    const sites = new Map(state.providers.list().map(({ name, site }) => [name, site]));
    for (const entry of living) {
      const { uid, name } = entry;
      if (!this.#isAllDirty && !this.#dirty.has(name)) continue;
      const cluster = watchedCluster(state, this.#parts.planners, entry);
      const site = sites.get(entry.provider);
      if (cluster === undefined || site === undefined) this.#watched.delete(uid);
      else {
        const since = this.#watched.get(uid)?.since ?? this.#parts.recorder.now();
        this.#watched.set(uid, { name, site, cluster, text: JSON.stringify(cluster), since });
      }
    }
    this.#dirty.clear();
    this.#isAllDirty = false;
  }

  /** Says itself what no agent can say: whether one is there. One write at a time; a full disk is tried again. */
  #noteConnection(uids: readonly string[], condition: ClusterCondition | undefined): void {
    if (condition === undefined || this.#isKeeping) return;
    const changed = uids.filter(
      (uid) => this.#book.condition(uid, 'AgentConnected')?.status !== condition.status,
    );
    if (changed.length > 0) void this.#keepAlone(changed, condition);
  }

  async #keepAlone(uids: readonly string[], condition: ClusterCondition): Promise<void> {
    this.#isKeeping = true;
    try {
      await this.#book.keep(uids, condition);
    } catch {
      // The journal says by itself that it is full; it is tried again at the next look.
    } finally {
      this.#isKeeping = false;
    }
  }
}
