/** English of taking a cluster in. */
export const adoptTexts = {
  title: 'Adopt a cluster',
  breadcrumb: 'Adopt',
  what: 'A cluster that runs, and that no Remuda keeps: one that was given away, or whose appliance has lost its state. Everything is read from one master that lives. Nothing that runs is changed.',
  file: {
    label: 'Answer file',
    help: 'Its Provider and Cluster documents, describing the cluster as it is; “eject” wrote such a file.',
    choose: 'Choose a file',
  },
  master: 'A master that lives',
  address: { label: 'Address', help: 'IPv4 address or DNS name; the site’s agent must reach it.' },
  port: 'SSH port',
  user: {
    label: 'SSH user',
    help: 'root, or somebody with passwordless sudo; the same on every machine.',
  },
  key: {
    label: 'SSH private key',
    help: 'It opens every machine of the cluster, goes to the agent sealed, and is forgotten when the adoption ends: the cluster gets a key of its own.',
    choose: 'Choose the key file',
  },
  trust: 'Whether the machines are who they say they are',
  hostKey: {
    label: 'Fingerprint of the master’s host key',
    help: 'SHA256:… as ssh-keygen -l prints it. Left empty, the plan shows what each machine answers with, for you to compare.',
  },
  knownHosts: {
    label: 'Known hosts',
    help: 'A known_hosts file: each machine must show a key that stands there for it.',
    choose: 'Choose a known_hosts file',
  },
  takesOver: {
    label: 'Another Remuda keeps it, and shall no more',
    help: 'Only where that appliance is lost, or gives it up: two that keep one cluster undo what the other does.',
  },
  look: 'See what adopting it does',
  lookAgain: 'Look again',
  looking: 'Visiting the master, its machines and the provider…',
  blocked: 'It cannot be adopted like this',
  plan: 'What adopting it does',
  confirm: (cluster: string) => `Type ${cluster} to lock the other Remuda out`,
  begin: 'Adopt it',
  back: 'Back to the clusters',
  clear: 'Clear',
} as const;
