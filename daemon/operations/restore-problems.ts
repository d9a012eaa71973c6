import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/** Why a restore cannot even be planned, by stable code. */
export const restoreProblems = {
  noBackup: (cluster: string, id: string | undefined, silent: readonly string[]): ProblemReport => ({
    kind: 'user',
    code: 'RESTORE-011',
    summary: `there is no backup ${id === undefined ? '' : `${id} `}of cluster ${cluster}${silent.length === 0 ? '' : ` where it could be looked; not asked: ${silent.join('; ')}`}`,
    remedy: `Choose one that is listed: remuda backup list ${cluster}`,
    ...(id === undefined ? {} : { value: id }),
  }),
  changed: (id: string, place: string): ProblemReport => ({
    kind: 'blocked',
    code: 'RESTORE-012',
    summary: `the backup ${id} at ${place} is not the file that was written: its SHA-256 is another`,
    remedy: 'Do not trust what it lies on; choose another backup.',
  }),
  unknown: (id: string, place: string): ProblemReport => ({
    kind: 'user',
    code: 'RESTORE-013',
    summary: `the backup ${id} at ${place} is not known to this journal: anybody who can write there could have made it`,
    remedy: 'Find out who made it; then restore it with --accept-unknown.',
    value: id,
  }),
  /** `role`: of those that have members of etcd. */
  whichSurvivor: (
    cluster: string,
    role: 'etcd' | 'control-plane',
    answering: readonly string[],
  ): ProblemReport => ({
    kind: 'user',
    code: 'RESTORE-014',
    summary:
      answering.length === 0
        ? `no ${role === 'etcd' ? 'machine of etcd' : 'master'} of cluster ${cluster} answers, so there is no data to go on with`
        : `${answering.join(', ')} of cluster ${cluster} answer: it is not said whose data is to be kept`,
    remedy:
      answering.length === 0
        ? 'Bring one back, or restore from a backup.'
        : 'Name the one with the highest revision: --survivor NAME. Where a majority answers, nothing is to be restored: replace the lost machines with "remuda machine replace".',
  }),
};
