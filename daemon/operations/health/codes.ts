import type { ProblemCatalogue } from '../../../provisioners/contract/problem.ts';

/** What the daemon itself says about receivers of alerts. */
export const alertCodes: ProblemCatalogue = {
  'ALERT-011': {
    title: 'The secret of a webhook for alerts is not there',
    explanation: 'A webhook names the secret with whose key hmac everything is signed that goes to it.',
    remedy: 'Give it first: `remuda secret set NAME --from-file hmac=FILE`.',
  },
  'ALERT-012': {
    title: 'The secret was given for another receiver of alerts',
    explanation:
      'A secret goes only to the server for which it was given; a changed address demands it anew.',
    remedy: 'Give it again with `remuda secret set`, then set the receiver.',
  },
  'ALERT-013': {
    title: 'The agent could not hand the alerts over',
    explanation:
      'Receivers are spoken to by the agent, which is away or older than the daemon, or their secret is gone. The alerts wait.',
    remedy: 'See that the agent runs and is of the release of the daemon, and that the secret is there.',
  },
};
