/** English of what deleted clusters have left behind, and of removing it. */
export const leftoverTexts = {
  title: 'Leftovers',
  intro:
    'What is still at the providers although its cluster is gone: what a policy kept, what a deletion could not remove, and what belongs to no cluster that this Remuda keeps.',
  deleted: {
    title: 'Left behind by deletions',
    help: 'As each deletion, or the last sweep after it, has proven it. What somebody removed by other means since then still stands here.',
    table: 'Left behind by deletions',
    none: 'No deleted cluster has left anything behind.',
    columns: {
      what: 'What',
      cluster: 'Cluster',
      list: 'List',
      why: 'Why',
      provider: 'Provider',
      at: 'Since',
    },
    lists: { left: 'Left', kept: 'Kept by policy' },
    by: (who: string) => `deleted by ${who}`,
    proof: (cluster: string) => `Proof of the deletion of ${cluster}`,
  },
  found: {
    title: 'Found at the providers, and nobody’s',
    help: 'Whatever bears this Remuda’s tags and belongs to no cluster that it keeps: from a fresh look.',
    table: 'Found at the providers',
    look: 'Look again',
    looking: 'Looking at every provider…',
    none: 'Nothing bears our tags that belongs to no cluster of ours.',
    needed:
      'Looking there, and removing what is found, takes the role admin. An administrator can give it to you.',
    unseen: (provider: string) => `Provider ${provider} could not be asked: what it holds is not known`,
    columns: {
      cluster: 'Cluster',
      what: 'What is there',
      provider: 'Provider',
      known: 'Known here until',
      now: 'What to do',
    },
    never: 'never known here',
    released: 'Given away: it lives on, and is not ours to remove',
    running: 'It is being removed',
    remove: 'Remove…',
    removeOf: (cluster: string, uid: string) => `Remove what is left of ${cluster} (${uid})…`,
    adopt:
      'If this appliance has lost its state, everything that it kept looks like this: adopt what you want to keep (remuda cluster adopt) before you remove anything.',
  },
  question: {
    title: (cluster: string, provider: string) => `Remove what is left of ${cluster} at ${provider}?`,
    body: 'All of this is destroyed, and cannot be had back. The end is a proof: what is gone, what is kept, what is left and why.',
    action: 'Remove it',
    nothing: 'Nothing of it is left.',
  },
} as const;
