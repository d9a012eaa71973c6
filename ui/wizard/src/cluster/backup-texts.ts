/** English of a cluster's backups. */
export const backupTexts = {
  create: 'Back up…',
  createNow: 'Back up now',
  question: (cluster: string) => `Take a backup of ${cluster}?`,
  nothing: 'There is nothing to back up.',
  what: 'Every object of the cluster and its sealed keys, encrypted to the recovery key. What is on volumes is not in it.',
  table: 'Backups',
  actions: 'Actions',
  none: 'There is no backup yet.',
  next: 'The next one by schedule:',
  unscheduled: 'None is made by schedule: the answer file says nothing of one (spec.backup.schedule).',
  away: (place: string) => `${place} could not be asked`,
  columns: {
    id: 'Backup',
    at: 'Made',
    size: 'Size',
    version: 'Kubernetes',
    place: 'Where',
    standing: 'It is',
  },
  standings: {
    good: { text: 'as it was written', status: 'success' },
    changed: { text: 'changed since it was written', status: 'danger' },
    unknown: { text: 'not known to this journal', status: 'warning' },
    missing: { text: 'missing', status: 'danger' },
    unseen: { text: 'not looked at', status: 'info' },
  },
  size: (bytes: number) =>
    bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${Math.max(1, Math.round(bytes / 1024))} KiB`,
} as const;
