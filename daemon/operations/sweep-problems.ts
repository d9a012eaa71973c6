import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/** Why something is not swept, by stable code. */
export const sweepProblems = {
  nothingThere: (uid: string, unseen: readonly string[]): ProblemReport => ({
    kind: 'user',
    code: 'SWEEP-001',
    summary: `no provider that was asked holds anything with the tag of cluster ${uid}${unseen.length === 0 ? '' : `; not asked: ${unseen.join('; ')}`}`,
    remedy: 'List what is there: remuda sweep',
    value: uid,
  }),
  isOurs: (name: string, uid: string): ProblemReport => ({
    kind: 'user',
    code: 'SWEEP-002',
    summary: `${uid} is the cluster ${name}, which this Remuda keeps: it is no stray`,
    remedy: `If it is to go: remuda delete ${name}. What it has too many of is drift: remuda drift ${name}.`,
    value: uid,
  }),
  isReleased: (name: string): ProblemReport => ({
    kind: 'user',
    code: 'SWEEP-003',
    summary: `cluster ${name} was given away: it lives on, and its machines are not ours to remove`,
    remedy: 'Whoever keeps it now removes it; or adopt it (remuda cluster adopt), then delete it.',
    value: name,
  }),
  isAtWork: (name: string, operation: string): ProblemReport => ({
    kind: 'user',
    code: 'SWEEP-005',
    summary: `operation ${operation} is at work on cluster ${name} and may just be making what was found`,
    remedy: `Wait for its end (remuda operation follow ${operation}), then look again.`,
    value: operation,
  }),
};
