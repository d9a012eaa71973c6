import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** What policies say. */
export const policyCodes: ProblemCatalogue = {
  'POLICY-001': {
    title: 'A policy refuses the cluster',
    explanation:
      'A policy whose action is Deny is not fulfilled, or could not be evaluated. Nothing was planned and nothing changed.',
    remedy: 'Change what the message names, or ask an administrator about the policy.',
  },
  'POLICY-002': {
    title: 'A policy warns',
    explanation: 'A policy whose action is Warn is not fulfilled. The plan is made all the same.',
    remedy: 'Change what the message names, when it applies to you.',
  },
};
