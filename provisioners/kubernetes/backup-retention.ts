import type { BackupManifest, BackupRetention } from '../contract/backup.ts';
import type { ClusterIdentity } from '../contract/machine.ts';
import { minutes } from '../contract/time.ts';

const hour = minutes(60);
const day = 24 * hour;

/** In which period a time lies: equal texts, same period. All in UTC; weeks begin on Monday (ISO 8601). */
const periods: Readonly<Record<keyof BackupRetention, (backup: BackupManifest) => string>> = {
  // Each is a period of its own, also such of the same moment.
  keepLast: ({ id }) => id,
  keepHourly: ({ at }) => `${Math.floor(Date.parse(at) / hour)}`,
  keepDaily: ({ at }) => `${Math.floor(Date.parse(at) / day)}`,
  // 1970 began on a Thursday.
  keepWeekly: ({ at }) => `${Math.floor((Date.parse(at) / day + 3) / 7)}`,
  keepMonthly: ({ at }) => new Date(at).toISOString().slice(0, 7),
  keepYearly: ({ at }) => new Date(at).toISOString().slice(0, 4),
};

/**
 * Which of a cluster's backups no rule keeps, oldest first. The newest always stays, and so does whatever is another
 * cluster's; without any rule all stay. A rule keeps the newest of each of the last periods that have one, as restic does.
 */
export function expiredBackups(
  backups: readonly BackupManifest[],
  cluster: ClusterIdentity,
  retention: BackupRetention,
): BackupManifest[] {
  const newestFirst = backups
    .filter((backup) => backup.cluster.uid === cluster.uid)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? 1 : -1));
  const rules = Object.entries(retention) as [keyof BackupRetention, number][];
  if (rules.length === 0) return [];
  const kept = new Set(newestFirst.slice(0, 1));
  for (const [rule, count] of rules) {
    const seen = new Set<string>();
    for (const backup of newestFirst) {
      const period = periods[rule](backup);
      if (seen.has(period)) continue;
      if (seen.size >= count) break;
      seen.add(period);
      kept.add(backup);
    }
  }
  return newestFirst.filter((backup) => !kept.has(backup)).reverse();
}
