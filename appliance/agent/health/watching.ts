import type { Logger } from 'pino';
import type { HealthCondition, HealthNumbers, HealthType } from '../../../provisioners/contract/health.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { reportOf } from '../../../provisioners/contract/problem.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import {
  conditionsOf,
  numbersOf,
  unseenConditions,
} from '../../../provisioners/kubernetes/health-conditions.ts';
import type { Clock } from '../clock.ts';
import type {
  HealthReport,
  ReportedCondition,
  ServingDenial,
  WatchedCluster,
  WatchRequest,
} from '../protocol/watch.ts';
import type { Snapshots } from '../snapshots.ts';
import type { PortsFactory } from '../work.ts';
import { HealthEye } from './look.ts';
import { judgeServing } from './serving-requests.ts';
import { WatchPorts } from './watch-ports.ts';

/** Clusters that are looked at at the same time. */
const atOnce = 8;

/** Longest time one look may take, milliseconds. */
const patience: Duration = 25_000;

/** How far the pause between looks is moved by chance, so that many clusters do not come to be asked together. */
const jitter = 0.2;

/** What watching needs. */
export interface WatchingParts {
  readonly ports: PortsFactory;
  readonly clock: Clock;
  readonly epoch: number;
  readonly logger: Pick<Logger, 'warn'>;
  /** Shared with the steps, so that both read a cluster once where they look at the same moment. */
  readonly snapshots: Snapshots;
}

/** Hands a report over; resolves when the daemon keeps it, rejects when nobody is there. */
export type TellHealth = (report: HealthReport) => Promise<void>;

/** One cluster that is watched. */
interface Watch {
  cluster: WatchedCluster;
  every: Duration;
  readonly eye: HealthEye;
  readonly ports: WatchPorts;
  readonly end: AbortController;
  /** What was found last, with the moment since which each is in that state. */
  found: Map<HealthType, ReportedCondition>;
  numbers: HealthNumbers;
  at: Instant | undefined;
  /** What the daemon is known to hold, as text; empty when it must be told everything. */
  told: Map<HealthType | 'numbers', string>;
  /** Requests of kubelets that were denied and of which the daemon was not told yet, by name. */
  denied: Map<string, ServingDenial>;
  /** Names of those it was told of. */
  readonly toldDenied: Set<string>;
  isTelling: boolean;
}

/**
 * Looks after the clusters that the daemon names, and tells it what changes. Everything is in memory: a new process is
 * told anew whom to watch, and the daemon holds what was. Opened keys live as long as a few looks.
 */
export class Watching {
  readonly #parts: WatchingParts;
  readonly #watches = new Map<string, Watch>();
  #tell: TellHealth | undefined;
  #running = 0;
  readonly #queue: (() => void)[] = [];
  /** Looks made so far, for whoever measures. */
  looks = 0;

  constructor(parts: WatchingParts) {
    this.#parts = parts;
  }

  /** The daemon's list. Whoever is not on it any more is forgotten. */
  set({ epoch, every, all, set }: WatchRequest): void {
    if (epoch !== this.#parts.epoch) return;
    for (const [uid, watch] of this.#watches) {
      if (all.includes(uid)) watch.every = every;
      else this.#drop(uid, watch);
    }
    for (const cluster of set) {
      const { uid } = cluster.context.cluster;
      const known = this.#watches.get(uid);
      if (known === undefined) this.#begin(uid, cluster, every);
      else if (JSON.stringify(known.cluster) !== JSON.stringify(cluster)) this.#change(known, cluster);
    }
  }

  /** A daemon that may hold nothing is there: it is told everything that is known. */
  linked(tell: TellHealth): void {
    this.#tell = tell;
    for (const [uid, watch] of this.#watches) {
      watch.told = new Map();
      void this.#report(uid, watch);
    }
  }

  /** Nobody listens; looking goes on. */
  lost(): void {
    this.#tell = undefined;
  }

  stop(): void {
    this.#tell = undefined;
    for (const [uid, watch] of this.#watches) this.#drop(uid, watch);
  }

  #begin(uid: string, cluster: WatchedCluster, every: Duration): void {
    const watch: Watch = {
      cluster,
      every,
      eye: new HealthEye(),
      ports: new WatchPorts(this.#parts),
      end: new AbortController(),
      found: new Map(),
      numbers: {},
      at: undefined,
      told: new Map(),
      denied: new Map(),
      toldDenied: new Set(),
      isTelling: false,
    };
    this.#watches.set(uid, watch);
    void this.#watch(uid, watch);
  }

  #change(watch: Watch, cluster: WatchedCluster): void {
    watch.cluster = cluster;
    watch.ports.forget();
    watch.eye.forget();
    watch.told = new Map();
  }

  #drop(uid: string, watch: Watch): void {
    watch.end.abort();
    watch.ports.forget();
    this.#watches.delete(uid);
  }

  async #watch(uid: string, watch: Watch): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = watch.end;
    try {
      // Two hundred that come with one list are not looked at in one moment.
      await clock.sleep(Math.min(watch.every, this.#watches.size * 50) * clock.random(), signal);
      for (;;) {
        await this.#inTurn(() => this.#lookSurely(uid, watch));
        await this.#report(uid, watch);
        await clock.sleep(watch.every * (1 - jitter / 2 + jitter * clock.random()), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A mistake of ours in looking leaves nothing green behind. */
  async #lookSurely(uid: string, watch: Watch): Promise<void> {
    const { clock, logger } = this.#parts;
    try {
      await this.#look(uid, watch);
    } catch (error) {
      if (watch.end.signal.aborted) return;
      const problem = reportOf(error, `watch/${uid}`);
      logger.warn({ problem }, 'a cluster could not be looked at');
      this.#found(watch, clock.now(), unseenConditions(`The agent failed to look: ${problem.summary}`), {});
    }
  }

  /** Looks once, and not longer than it may take. */
  async #look(uid: string, watch: Watch): Promise<void> {
    const { clock, snapshots } = this.#parts;
    if (watch.end.signal.aborted) return;
    const over = new AbortController();
    const done = new AbortController();
    void clock.sleep(patience, AbortSignal.any([done.signal, watch.end.signal])).then(
      () => over.abort(new DOMException(`it took longer than ${patience / 1000} s`, 'TimeoutError')),
      () => over.abort(new DOMException('the look is over', 'AbortError')),
    );
    try {
      const ports: Ports = snapshots.share(
        watch.ports.for(watch.cluster.context, over.signal, Date.parse(clock.now())),
        uid,
        () => false,
      );
      const found = await watch.eye.look(ports, watch.cluster, clock.now());
      this.looks += 1;
      this.#found(watch, found.at, conditionsOf(found), numbersOf(found));
      const denied = await judgeServing(ports, watch.cluster, found);
      for (const one of denied) if (!watch.toldDenied.has(one.request)) watch.denied.set(one.request, one);
    } finally {
      done.abort();
    }
  }

  #found(watch: Watch, at: Instant, conditions: readonly HealthCondition[], numbers: HealthNumbers): void {
    const before = watch.found;
    watch.at = at;
    watch.numbers = numbers;
    watch.found = new Map(
      conditions.map((condition) => {
        const known = before.get(condition.type);
        const since = known?.status === condition.status ? known.since : at;
        return [condition.type, { ...condition, since }];
      }),
    );
  }

  /** Tells what the daemon is not known to hold; when it cannot be told, it is with the next look. */
  async #report(uid: string, watch: Watch): Promise<void> {
    const tell = this.#tell;
    if (tell === undefined || watch.at === undefined || watch.isTelling) return;
    const conditions = [...watch.found.values()].filter(
      (condition) => watch.told.get(condition.type) !== JSON.stringify(condition),
    );
    const numbers = JSON.stringify(watch.numbers);
    const denied = [...watch.denied.values()];
    if (conditions.length === 0 && denied.length === 0 && watch.told.get('numbers') === numbers) return;
    const { epoch } = this.#parts;
    const { told, at } = watch;
    watch.isTelling = true;
    try {
      const report = { epoch, cluster: uid, at, conditions, numbers: watch.numbers };
      await tell(denied.length === 0 ? report : { ...report, denied });
      for (const { request } of denied) {
        watch.toldDenied.add(request);
        watch.denied.delete(request);
      }
      for (const condition of conditions) told.set(condition.type, JSON.stringify(condition));
      told.set('numbers', numbers);
    } catch {
      // Nobody was there, or did not answer in time: what is not known to be held is told again.
    } finally {
      watch.isTelling = false;
    }
  }

  async #inTurn(look: () => Promise<void>): Promise<void> {
    if (this.#running >= atOnce) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running += 1;
    try {
      await look();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
