/** English of the list of clusters. */
export const texts = {
  title: 'Clusters',
  create: 'New cluster',
  adopt: 'Adopt a cluster…',
  emptyTitle: 'No clusters yet',
  emptyBody: 'Describe one in a few steps, read what will happen, and watch it come up.',
  emptyUser: 'No cluster has been given to you yet. Ask an administrator for a role in one.',
  columns: {
    name: 'Name',
    health: 'Health',
    version: 'Kubernetes',
    machines: 'Machines',
    operation: 'Just now',
  },
  drafts: 'Drafts',
  draftOpen: 'Go on',
  draftChanged: 'changed',
  idle: 'Nothing runs',
  search: 'Find by name, provider or health',
  found: (found: number, all: number) => `${found} of ${all}`,
  nothingFound: (sought: string) => `No cluster is like “${sought}”.`,
  machines: (ready: number, total: number) => (total === 0 ? '–' : `${ready} of ${total} ready`),
} as const;
