import type { ProblemReport } from '../../../provisioners/contract/problem.ts';

/** Why a backup is not removed, by stable code. */
export const removalProblems = {
  none: (cluster: string, id: string, silent: readonly string[]): ProblemReport => ({
    kind: 'user',
    code: 'REMOVAL-001',
    summary: `there is no backup ${id} of cluster ${cluster}${silent.length === 0 ? '' : ` where it could be looked; not asked: ${silent.join('; ')}`}`,
    remedy: `Choose one that is listed: remuda backup list ${cluster}`,
    value: id,
  }),
  last: (cluster: string, id: string): ProblemReport => ({
    kind: 'user',
    code: 'REMOVAL-002',
    summary: `${id} is the last backup of cluster ${cluster} that is known to be as it was written: without it nothing can be restored`,
    remedy: `Take another first (remuda backup create ${cluster} --wait); if you mean it all the same, repeat with --last.`,
    value: id,
  }),
  restoredFrom: (cluster: string, id: string, operation: string): ProblemReport => ({
    kind: 'user',
    code: 'REMOVAL-003',
    summary: `operation ${operation} restores cluster ${cluster} from ${id}`,
    remedy: `Wait for its end, or go on with it if it stopped: remuda operation resume ${operation}`,
    value: id,
  }),
  atWork: (cluster: string, id: string, operation: string): ProblemReport => ({
    kind: 'user',
    code: 'REMOVAL-004',
    summary: `operation ${operation} took ${id} before it changed cluster ${cluster}, and has not ended yet`,
    remedy: `Wait for its end: remuda operation follow ${operation}`,
    value: id,
  }),
  notConfirmed: (cluster: string, id: string): ProblemReport => ({
    kind: 'user',
    code: 'REMOVAL-005',
    summary: `nobody has confirmed that the backup ${id} of cluster ${cluster} is to go`,
    remedy: `Give its id once more: remuda backup remove ${cluster} ${id} --confirm ${id}`,
    value: id,
  }),
};
