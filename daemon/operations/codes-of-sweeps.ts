import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Why `remuda sweep` removes nothing. */
export const sweepCodes: ProblemCatalogue = {
  'SWEEP-001': {
    title: 'Nothing of that cluster is there',
    explanation: 'No provider that could be asked holds anything that bears the tag of this cluster.',
    remedy: 'List what is there with `remuda sweep`; bring the agents of the other sites back first.',
  },
  'SWEEP-002': {
    title: 'It is no stray',
    explanation:
      'Only what belongs to no cluster of this Remuda is swept. A cluster that it keeps is deleted.',
    remedy: 'Use `remuda delete` for a whole cluster.',
  },
  'SWEEP-003': {
    title: 'It was given away',
    explanation:
      'An ejected cluster lives on without Remuda, or another appliance keeps it. Its machines are shown and never touched.',
    remedy: 'Leave it to whoever keeps it, or adopt it first.',
  },
  'SWEEP-004': {
    title: 'The provider cannot tell',
    explanation:
      'This kind of provider, or an agent of an earlier release, has no list of all that bears our tags.',
    remedy: 'Update the agent; otherwise look at the provider yourself.',
  },
  'SWEEP-005': {
    title: 'An operation is at work on it',
    explanation: 'What was found may just be being made, or removed, by an operation that is not over.',
    remedy: 'Wait for the end of that operation, then look again.',
  },
};
