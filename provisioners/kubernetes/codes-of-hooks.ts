import type { ProblemCatalogue } from '../contract/problem.ts';

/** What may go wrong with hooks. Stable; none is ever given a new meaning. */
export const hookCodes: ProblemCatalogue = {
  'HOOK-001': {
    title: 'A hook failed',
    explanation:
      'The script on the machine, or the Job in the cluster, ended with another exit code than 0. Its last lines stand beside the problem, all of them in the log of the operation.',
    remedy: 'Mend its cause and resume the operation: the hook runs again, and nothing before it.',
  },
  'HOOK-002': {
    title: 'A hook took too long',
    explanation:
      'It ran longer than its timeout and was stopped, with everything that it had started. A script that leaves something behind which writes to its output has not ended.',
    remedy: 'Give it more time in spec.hooks, or mend why it hangs; then resume.',
  },
  'HOOK-003': {
    title: 'Not the address of a webhook',
    explanation: 'Webhooks are https://host/path, without a user or a password.',
    remedy: 'Correct the address of the hook.',
  },
  'HOOK-004': {
    title: 'The receiver did not take a hook',
    explanation: 'The webhook answered with another status than 2xx. Redirections are not followed.',
    remedy: 'Look into the log of the receiver, then resume: the same message is sent again, under its id.',
  },
  'HOOK-005': {
    title: 'The Job of a hook is under way',
    explanation: 'It was made just now; the operation goes on when it has ended.',
    remedy: 'Nothing is to be done. Where it gets no pod, look at the events of the Job.',
  },
};
