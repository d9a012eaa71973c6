import {
  type BackupDestination,
  type BackupRetention,
  backupDestinationSchema,
} from '../../provisioners/contract/backup.ts';
import type { ClusterDocument } from './documents.ts';
import { backupSchema } from './schema/backup.ts';

/** When backups are made by themselves. */
export interface BackupSchedule {
  /** The five fields of cron. */
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** What a cluster's document says of backups, with every default. */
export interface BackupSettings {
  readonly destination: BackupDestination;
  readonly keep: BackupRetention;
  /** Absent: only on demand. */
  readonly schedule?: BackupSchedule;
}

/** Backups of a cluster as its document asks for them; without a word they go to the state disk, and seven are kept. */
export function backupSettings({ spec }: Pick<ClusterDocument, 'spec'>): BackupSettings {
  const { destination, schedule, timeZone, keep } = spec.backup ?? backupSchema.parse({});
  const { type } = destination;
  const section = type === 'stateDisk' ? {} : destination[type];
  return {
    destination: backupDestinationSchema.parse({ type, ...section }),
    keep: withoutGaps(keep),
    ...(schedule === undefined ? {} : { schedule: { cron: schedule, timeZone } }),
  };
}

/** Without the members that are undefined: the contract knows none such. */
const withoutGaps = (keep: Readonly<Record<string, number | undefined>>): BackupRetention =>
  Object.fromEntries(Object.entries(keep).filter(([, count]) => count !== undefined));
