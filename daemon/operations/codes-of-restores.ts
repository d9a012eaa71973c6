import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** What may be wrong with a restore before it is planned. */
export const restoreCodes: ProblemCatalogue = {
  'RESTORE-011': {
    title: 'No such backup',
    explanation:
      'None of the places to which backups of the cluster go or went holds a finished backup with that id, or any at all.',
    remedy: 'Choose one of `remuda backup list`; where a place could not be asked, bring it back first.',
  },
  'RESTORE-012': {
    title: 'The backup was changed',
    explanation:
      'The journal wrote down what the encrypted file was like when it was made, and the file is another one now.',
    remedy: 'Do not trust what it lies on; choose another backup.',
  },
  'RESTORE-013': {
    title: 'A backup of unknown origin',
    explanation:
      'The journal never made it: another appliance did, or an earlier journal that was lost, or somebody who could write at the destination.',
    remedy: 'Find out who made it; then restore it with `--accept-unknown`.',
  },
  'RESTORE-014': {
    title: 'Whose data shall it be',
    explanation:
      'The cluster is to go on with the data of a master, or of a machine of etcd, that is left, and either none answers or more than one does.',
    remedy: 'Name one with `--survivor`, or restore from a backup.',
  },
};
