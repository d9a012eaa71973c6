import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** What the daemon itself says about receivers of the audit trail. */
export const auditCodes: ProblemCatalogue = {
  'AUDIT-011': {
    title: 'The secret of a webhook is not there',
    explanation: 'A webhook names the secret with whose key hmac everything is signed that goes to it.',
    remedy: 'Give it first: `remuda secret set NAME --from-file hmac=FILE`.',
  },
  'AUDIT-012': {
    title: 'The secret was given for another server',
    explanation:
      'A secret goes only to the server for which it was given; a changed address demands it anew.',
    remedy: 'Give it again with `remuda secret set`, then set the receiver.',
  },
  'AUDIT-013': {
    title: 'The audit trail was cut or rewritten',
    explanation:
      'A receiver has a row that is not here any more, or is another one. Nothing more is sent to it, so that what it has stays evidence.',
    remedy:
      'Compare both trails, see `remuda audit verify`. After a restored backup, remove the receiver and set it anew.',
  },
  'AUDIT-014': {
    title: 'The agent could not hand the rows over',
    explanation:
      'Receivers are spoken to by the agent, which is away or older than the daemon. The rows wait.',
    remedy: 'See that the agent runs and is of the release of the daemon.',
  },
};
