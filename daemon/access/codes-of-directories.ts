import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** What the daemon itself says about directories; what the agent finds there is explained by its own catalogue. */
export const directoryCodes: ProblemCatalogue = {
  'DIRECTORY-031': {
    title: 'The secret of a directory is not there',
    explanation: 'A directory names the secret that holds the password of the account that searches.',
    remedy: 'Give it first: `remuda secret set NAME --from-file password=FILE`.',
  },
  'DIRECTORY-032': {
    title: 'The secret was given for another server',
    explanation:
      'A secret goes only to the server for which it was given; a changed address demands it anew.',
    remedy: 'Give it again with `remuda secret set`, then set the directory.',
  },
  'DIRECTORY-033': {
    title: 'The directory is not asked just now',
    explanation:
      'It did not answer several times in a row. So that nobody waits for it, everybody is told so at once; after half a minute it is asked again.',
    remedy: 'Sign in with a local account meanwhile, and see what `remuda directory test` says.',
  },
  'DIRECTORY-034': {
    title: 'The agent could not ask the directory',
    explanation: 'Directories are asked by the agent, which is away or older than the daemon.',
    remedy: 'See that the agent runs and is of the release of the daemon.',
  },
};
