import { createHash } from 'node:crypto';
import type { OperationRecord } from '../../state/operations.ts';
import type { ClusterEntry } from '../../state/clusters.ts';
import { Problem, type ProblemReport, reportOf } from '../../../provisioners/contract/problem.ts';
import { backupDueAt, type ScheduleHistory } from '../../planning/backup-schedule.ts';
import type { BackupSchedule } from '../../spec/backup.ts';
import type { DayTwoDoors } from '../day-two.ts';
import type { Planners } from '../planners.ts';
import type { Recorder } from '../recorder.ts';
import { mainWork } from '../side-work.ts';

/** Who asks for backups by schedule, in records and events. */
const schedulePrincipal = 'schedule';

/** How often it is looked whether a backup is due, milliseconds: cron counts minutes. */
const lookEvery = 15_000;

/** How soon it is asked again for a backup that could not even be planned, and how late at most, milliseconds. */
const firstPause = 60_000;
const longestPause = 15 * 60_000;

/** How many backups back failures are counted: beyond, the pause grows no more. */
const lookBack = 10;

/** What the schedule is made of. */
export interface ScheduleParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly dayTwo: DayTwoDoors;
  readonly ids: () => string;
}

/** A cluster's schedule, and since when it has been asked for. */
interface Known {
  readonly revision: number;
  readonly schedule: BackupSchedule | undefined;
  readonly since: number;
}

/** A backup that could not be begun. */
interface Postponed {
  readonly tries: number;
  readonly until: number;
  /** Code of the problem that was told of. */
  readonly told: string;
}

/**
 * Begins backups when their time has come. What it goes by stands in the journal, so that a start knows what was missed
 * and what has failed; only the pause after a backup that could not be planned is forgotten. It waits while another
 * operation holds the cluster, and queues for none.
 */
export class Schedule {
  readonly #parts: ScheduleParts;
  readonly #known = new Map<string, Known>();
  readonly #postponed = new Map<string, Postponed>();
  readonly #beginning = new Set<string>();
  #cancelLook: (() => void) | undefined;
  #isStopped = true;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isStopped = false;
    this.#lookLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
  }

  /** When the next backup of a cluster is to begin, milliseconds since the epoch; undefined without a schedule. */
  dueAt({ uid }: Pick<ClusterEntry, 'uid'>): number | undefined {
    const { schedule, since } = this.scheduleOf(uid);
    if (schedule === undefined) return undefined;
    return backupDueAt(schedule, this.#historyOf(uid, since), spreadOf(uid));
  }

  #lookLater(): void {
    this.#cancelLook = this.#parts.recorder.clock.after(lookEvery, () => {
      if (this.#isStopped) return;
      for (const cluster of this.#parts.recorder.state.clusters.list()) this.#considerAlone(cluster);
      this.#lookLater();
    });
  }

  /** What is wrong with one cluster's schedule keeps no other from its backup. */
  #considerAlone(cluster: ClusterEntry): void {
    try {
      this.#consider(cluster);
    } catch (error) {
      const told = this.#postpone(cluster.uid, cluster.name, reportOf(error, this.#parts.ids()));
      told.catch(() => undefined);
    }
  }

  #consider(cluster: ClusterEntry): void {
    const { uid } = cluster;
    const now = this.#parts.recorder.clock.now();
    if (this.#beginning.has(uid) || !this.#isFree(uid)) return;
    const dueAt = this.dueAt(cluster);
    if (dueAt === undefined || dueAt > now || (this.#postponed.get(uid)?.until ?? 0) > now) return;
    this.#beginning.add(uid);
    void this.#begin(cluster)
      .catch(() => undefined)
      .finally(() => this.#beginning.delete(uid));
  }

  /** Finished once, wanted still, and nobody works on it. */
  #isFree(uid: string): boolean {
    const { operations, attempts } = this.#parts.recorder.state;
    if (operations.holder(uid) !== undefined || operations.queued(uid) !== undefined) return false;
    return operations.newest(uid, mainWork)?.kind !== 'delete' && attempts.hasReceipt(uid, 'cluster.verify');
  }

  async #begin({ uid, name }: ClusterEntry): Promise<void> {
    const { dayTwo, ids } = this.#parts;
    try {
      await dayTwo.start({ cluster: name, principal: schedulePrincipal, intent: { kind: 'backup' } });
      this.#postponed.delete(uid);
    } catch (error) {
      if (this.#isStopped) return;
      await this.#postpone(uid, name, error instanceof Problem ? error.report : reportOf(error, ids()));
    }
  }

  /** It is asked again by and by; what is in the way is told once. */
  async #postpone(uid: string, name: string, { code, summary }: ProblemReport): Promise<void> {
    const { recorder } = this.#parts;
    const before = this.#postponed.get(uid);
    const tries = (before?.tries ?? 0) + 1;
    const until = recorder.clock.now() + Math.min(firstPause * 2 ** (tries - 1), longestPause);
    this.#postponed.set(uid, { tries, until, told: code });
    if (before?.told === code) return;
    await recorder.commit((note) =>
      note({ type: 'backup.postponed', cluster: name, data: { problem: { code, summary } } }),
    );
  }

  /** What a cluster (uid) asks for, and since when. */
  scheduleOf(uid: string): Pick<Known, 'schedule' | 'since'> {
    const { state } = this.#parts.recorder;
    const revision = state.revisions.head(uid)?.number ?? 0;
    const known = this.#known.get(uid);
    if (known?.revision === revision) return known;
    const schedule = this.#scheduleAt(uid, revision);
    const first = schedule === undefined ? revision : this.#firstWith(uid, revision, schedule);
    const since = Date.parse(state.revisions.get(uid, first)?.at ?? recorderStart);
    const found = { revision, schedule, since };
    this.#known.set(uid, found);
    return found;
  }

  /** The oldest revision, in a row up to this one, that asked for the same schedule. */
  #firstWith(uid: string, revision: number, schedule: BackupSchedule): number {
    let first = revision;
    while (first > 1 && isSame(schedule, this.#scheduleAt(uid, first - 1))) first -= 1;
    return first;
  }

  #scheduleAt(uid: string, revision: number): BackupSchedule | undefined {
    const document = this.#parts.recorder.state.revisions.get(uid, revision)?.document;
    return document && this.#parts.planners.readCluster(document).backup.schedule;
  }

  #historyOf(uid: string, since: number): ScheduleHistory {
    const ours = this.#parts.recorder.state.operations.newestBy(uid, 'backup', schedulePrincipal, lookBack);
    const [last] = ours;
    if (last === undefined) return { since };
    const failures = ours.findIndex(({ state }) => state !== 'failed');
    return {
      since,
      last: {
        begunAt: Date.parse(last.createdAt),
        ...endOf(last),
        failures: failures === -1 ? ours.length : failures,
      },
    };
  }
}

/** A cluster without any revision is asked nothing of: the beginning of time does for it. */
const recorderStart = '1970-01-01T00:00:00.000Z';

const endOf = ({ endedAt }: OperationRecord): { readonly endedAt?: number } =>
  endedAt === undefined ? {} : { endedAt: Date.parse(endedAt) };

const isSame = (one: BackupSchedule, other: BackupSchedule | undefined): boolean =>
  one.cron === other?.cron && one.timeZone === other.timeZone;

/** Where in the delay a cluster stands: always at the same place, and no two at the same by design. */
const spreadOf = (uid: string): number => createHash('sha256').update(uid).digest().readUInt32BE(0) / 2 ** 32;
