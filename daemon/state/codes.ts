import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** What may be wrong with the daemon's own memory. Stable; none is ever given a new meaning. */
export const stateCodes: ProblemCatalogue = {
  'STATE-001': {
    title: 'The state is held by another process',
    explanation: 'Two daemons on one state folder would each undo what the other remembers.',
    remedy: 'Stop the other daemon.',
  },
  'STATE-002': {
    title: 'The state file is damaged',
    explanation: 'SQLite finds it unreadable. Running clusters are not touched by this.',
    remedy: 'Check the disk, then restore the newest backup of the state folder.',
  },
  'STATE-003': {
    title: 'The state was written by a newer release',
    explanation: 'An older release cannot know what the newer one meant by it.',
    remedy: 'Start the newer release, or restore the backup that it made beside the file when it migrated.',
  },
  'STATE-004': {
    title: 'The disk of the state is full',
    explanation: 'Steps that run finish, because space is kept for the journal. Nothing new is started.',
    remedy: 'Make room on that disk; work goes on by itself.',
  },
};
