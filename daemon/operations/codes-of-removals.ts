import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Why a backup is not removed by hand. */
export const removalCodes: ProblemCatalogue = {
  'REMOVAL-001': {
    title: 'No such backup',
    explanation: 'No place that could be asked holds a backup of this id.',
    remedy: 'Choose one of `remuda backup list CLUSTER`.',
  },
  'REMOVAL-002': {
    title: 'The last one that can be restored',
    explanation:
      'No other backup of the cluster lies where it was written and as it was written. Without it a lost majority of etcd is the end of the cluster.',
    remedy: 'Take another one first, or say `--last`.',
  },
  'REMOVAL-003': {
    title: 'A restore needs it',
    explanation:
      'An operation restores the cluster from this backup, or has stopped doing so and can be gone on with.',
    remedy: 'Wait for its end, or resume it.',
  },
  'REMOVAL-004': {
    title: 'The operation that took it is at work',
    explanation:
      'Before masters change, a backup is taken; it is the way back as long as the operation runs.',
    remedy: 'Wait for the end of that operation.',
  },
  'REMOVAL-005': {
    title: 'Not confirmed',
    explanation: 'A backup that was removed is gone for good, so its id is asked for once more.',
    remedy: 'Repeat with `--confirm` and the id.',
  },
};
