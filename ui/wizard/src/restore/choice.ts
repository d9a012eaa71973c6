import type { BackupList, RestoreRequest } from '../../../../daemon/api/types.ts';

/** What a person has chosen to restore. */
export interface RestoreChoice {
  readonly from: 'backup' | 'survivor';
  /** Id of the backup; empty where there is none to choose. */
  readonly backup: string;
  /** The master, or machine of etcd, whose data is kept; empty = the only one that answers. */
  readonly survivor: string;
  readonly lost: readonly string[];
  readonly acceptsUnknown: boolean;
}

/** A backup as the list of backups has it. */
export type ListedBackup = BackupList['backups'][number];

/** Whether a backup may be restored: what was changed or is gone may not. */
export const isRestorable = ({ standing }: ListedBackup): boolean =>
  standing !== 'changed' && standing !== 'missing';

/** Whether the choice names all that it takes. */
export function isComplete(choice: RestoreChoice, chosen: ListedBackup | undefined): boolean {
  if (choice.from === 'survivor') return true;
  return chosen !== undefined && (chosen.standing !== 'unknown' || choice.acceptsUnknown);
}

/** The choice as the API takes it. */
export function requestOf(choice: RestoreChoice): Omit<RestoreRequest, 'bypass'> {
  const { from, backup, survivor, lost, acceptsUnknown } = choice;
  if (from === 'survivor')
    return { from, lost: [...lost], acceptsUnknown: false, ...(survivor === '' ? {} : { survivor }) };
  return { from, lost: [...lost], acceptsUnknown, backup };
}
