import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Why a stage of a rotation of authorities is not begun. */
export const rotationCodes: ProblemCatalogue = {
  'CERT-013': {
    title: 'The next stage would leave somebody behind',
    explanation:
      'Before the new authority signs, everybody must believe it; before the old one is forgotten, nobody may use what it signed. Machines were looked at, and pods that speak to the API. The message names who is not there yet.',
    remedy:
      'Start the named pods anew; for machines run the stage before once more, or bring back who is away. Then ask again. Nothing was changed.',
  },
  'CERT-014': {
    title: 'People hold certificates of the old authority',
    explanation:
      'What people are given for a cluster lives for an hour at most. Some of it was signed by the authority that is to be dropped, and would be refused from then on.',
    remedy: 'Ask again after the moment that the message names; or end it at once with `--end-credentials`.',
  },
};
