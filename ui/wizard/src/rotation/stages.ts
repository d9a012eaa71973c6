import type { CertificateList } from '../../../../daemon/api/types.ts';

/** How far the authorities of a cluster are rotated, as the API answers it. */
export type Rotation = CertificateList['rotation'];
/** One of the three operations of a rotation. */
export type Stage = Rotation['next'];

/** The stages in their order. */
export const stages = ['trust', 'reissue', 'drop'] as const satisfies readonly Stage[];

/** `over`, the one to begin or go on with, or one that has to wait for that. */
export type Standing = 'over' | 'next' | 'unfinished' | 'later';

/** Where a stage stands; a rotation that is over leaves nothing behind but a cluster that can be rotated anew. */
export function standingOf(stage: Stage, { next, isFinished }: Rotation): Standing {
  if (stage === next) return isFinished ? 'next' : 'unfinished';
  return stages.indexOf(stage) < stages.indexOf(next) ? 'over' : 'later';
}
