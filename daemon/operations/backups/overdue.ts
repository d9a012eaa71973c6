import { backupMissedAt } from '../../planning/backup-schedule.ts';
import type { BackupSchedule } from '../../spec/backup.ts';
import type { ClusterCondition } from '../../state/health.ts';
import type { Recorder } from '../recorder.ts';

/** What a cluster's schedule is, and since when it has been asked for (milliseconds since the epoch). */
interface Asked {
  readonly schedule: BackupSchedule | undefined;
  readonly since: number;
}

/** What judging takes. */
interface OverdueParts {
  readonly recorder: Recorder;
  readonly askedOf: (uid: string) => Asked;
}

/** How late a backup may be, milliseconds: it was tried twice by then, and waited for what held the cluster. */
const grace = 60 * 60_000;

/** How long a judgement counts, milliseconds: health is asked for every few seconds, of every cluster. */
const freshFor = 60_000;

interface Judgement {
  readonly at: number;
  readonly conditions: readonly ClusterCondition[];
}

/** Says of clusters whose backups are made by schedule when one is overdue, from the journal alone. */
export class OverdueBackups {
  readonly #parts: OverdueParts;
  readonly #judged = new Map<string, Judgement>();

  constructor(parts: OverdueParts) {
    this.#parts = parts;
  }

  /** Nothing while all is well, and nothing where no schedule is asked for. */
  conditions(uid: string): readonly ClusterCondition[] {
    const now = this.#parts.recorder.clock.now();
    const known = this.#judged.get(uid);
    if (known !== undefined && now - known.at < freshFor) return known.conditions;
    const conditions = this.#judge(uid, now);
    this.#judged.set(uid, { at: now, conditions });
    return conditions;
  }

  #judge(uid: string, now: number): readonly ClusterCondition[] {
    const { backups, operations } = this.#parts.recorder.state;
    const { schedule, since } = this.#parts.askedOf(uid);
    if (schedule === undefined) return [];
    const last = backups.lastSuccess(uid);
    const missed = backupMissedAt(schedule, Math.max(since, last === undefined ? since : Date.parse(last)));
    if (missed === undefined || missed + grace > now) return [];
    const due = new Date(missed).toISOString();
    const tried = operations
      .list(uid, 20)
      .find(({ kind, problem, createdAt }) => kind === 'backup' && problem !== undefined && createdAt >= due);
    const why = tried?.problem?.summary;
    const before = last === undefined ? 'there is none yet' : `the last one is of ${last}`;
    return [
      {
        type: 'BackupsMade',
        status: 'False',
        severity: 'warning',
        reason: 'Overdue',
        message: `The backup that was due at ${due} was not made; ${before}.${why === undefined ? '' : ` The newest try: ${why}.`}`,
        remedy:
          'Look at what keeps it from being made: `remuda backup list` asks the places, `remuda get operations` shows the tries. It is tried again by itself.',
        lastTransitionTime: due,
      },
    ];
  }
}
