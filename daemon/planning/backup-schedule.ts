import { Cron } from 'croner';
import type { BackupSchedule } from '../spec/backup.ts';

/** No backup starts later than this after its time, milliseconds: eighty clusters of one hour do not start in one second. */
const longestDelay = 5 * 60_000;

/** What share of the time between two backups one may be late. */
const shareOfPeriod = 0.1;

/** After how long a backup that failed is tried again the first time, and at most, milliseconds. */
const firstRetry = 15 * 60_000;
const longestRetry = 4 * 3_600_000;

/** What is known of a cluster's backups by schedule. Instants in milliseconds since the epoch. */
export interface ScheduleHistory {
  /** Since when this very schedule has been asked for. */
  readonly since: number;
  /** The newest backup that the schedule began. */
  readonly last?: {
    readonly begunAt: number;
    /** Absent while it is under way. */
    readonly endedAt?: number;
    /** How many in a row, up to this one, have failed; 0 when it did not. */
    readonly failures: number;
  };
}

/** The time after `after` at which a schedule comes due; undefined when it never does. Pure: croner reads no clock here. */
function nextTime({ cron, timeZone }: BackupSchedule, after: number): number | undefined {
  return new Cron(cron, { timezone: timeZone, mode: '5-part' }).nextRun(new Date(after))?.getTime();
}

/** When a backup should have been made that was made last at `after`; undefined when the schedule never comes due. Pure. */
export const backupMissedAt = (schedule: BackupSchedule, after: number): number | undefined =>
  nextTime(schedule, after);

/**
 * When the next backup is to begin; in the past: now. What was missed while nobody was there is made up for once. One
 * that failed is tried again after a quarter of an hour, then after twice as long each time, or when the schedule says so
 * anyhow. `spread` in [0, 1): where in the delay a cluster stands. Pure.
 */
export function backupDueAt(
  schedule: BackupSchedule,
  { since, last }: ScheduleHistory,
  spread: number,
): number | undefined {
  const due = nextTime(schedule, Math.max(since, last?.begunAt ?? since));
  const following = due === undefined ? undefined : nextTime(schedule, due);
  const period = due === undefined || following === undefined ? longestDelay : following - due;
  const regular =
    due === undefined ? undefined : due + Math.floor(spread * Math.min(longestDelay, period * shareOfPeriod));
  if (last?.endedAt === undefined || last.failures === 0) return regular;
  const retry = last.endedAt + Math.min(firstRetry * 2 ** (last.failures - 1), longestRetry);
  return regular === undefined ? retry : Math.min(regular, retry);
}
