import type { DraftStep } from './steps.ts';

/** Title, and one sentence that says what the step is about. */
interface StepText {
  readonly name: string;
  readonly title: string;
  readonly intro: string;
}

/** English of the wizard. */
export const texts = {
  title: 'New cluster',
  steps: {
    supplies: {
      name: 'Supplies',
      title: 'What is on board',
      intro: 'A cluster is made from what this Remuda carries with it. Nothing is fetched from the internet.',
    },
    provider: {
      name: 'Provider',
      title: 'Where the machines come from',
      intro: 'A provider makes the machines, and takes them away again when the cluster is deleted.',
    },
    cluster: {
      name: 'Cluster',
      title: 'Name and version',
      intro: 'How the cluster is called, what it runs, and where its API is reached.',
    },
    machines: {
      name: 'Machines',
      title: 'Masters and workers',
      intro: 'Masters run the control plane; workers run your applications.',
    },
    network: {
      name: 'Network',
      title: 'Networks and add-ons',
      intro: 'The defaults suit most sites. Change them where they would overlap with networks you have.',
    },
    hooks: {
      name: 'Hooks',
      title: 'Commands of your own',
      intro:
        'A hook runs beside Remuda’s own steps: it flushes an application before its machine goes, looks at a machine before it counts, or tells somebody. Most clusters have none.',
    },
    preflight: {
      name: 'Preflight',
      title: 'Will it work here?',
      intro: 'Every check that can be made before a machine exists. Nothing is made or changed.',
    },
    review: {
      name: 'Review',
      title: 'This is what will happen',
      intro: 'Read the plan beside the file it comes from. Nothing has been made yet.',
    },
  } satisfies Readonly<Record<DraftStep, StepText>>,
  run: { name: 'Run' },
  done: { name: 'Done' },
  next: 'Next',
  back: 'Back',
  checking: 'Checking…',
  showYaml: 'Show YAML',
  hideYaml: 'Hide YAML',
  import: 'Import…',
  download: 'Download',
  discard: 'Discard draft',
  discardTitle: 'Discard this draft?',
  discardBody: 'The answer file as it stands is forgotten. Clusters that exist are not touched.',
  keep: 'Keep it',
  saving: {
    saved: 'Draft saved',
    saving: 'Saving…',
    'only-here': 'Kept in this browser; saved when Remuda answers again',
    secret: 'Not saved: the text holds a Secret. Give it with remuda secret set instead, and refer to it.',
    conflict: 'Not saved',
  },
  conflict: 'Somebody else has changed this draft meanwhile.',
  theirs: 'Take their version',
  mine: 'Keep mine',
  othersHere: (names: string) => `${names} ${names.includes(',') ? 'have' : 'has'} this draft open, too.`,
  othersHint: 'Whoever saves later is asked before anything is overwritten.',
  unreadable:
    'The YAML cannot be read just now, so the form rests. Mend it in the editor; the place is marked.',
  elsewhere: 'In the YAML',
  noDocument: 'The file has no document of kind Cluster. Add one in the editor, or import a file.',
  several: (count: number) =>
    `This file describes ${count} clusters; the form shows the first, the editor all of them.`,
  mutability: {
    immutable: 'Cannot be changed later.',
    'in-place': '',
    'rolling-replace': 'A later change replaces machines one by one.',
    'new-machines-only': 'A later change is for new machines only.',
  },
  listHint: 'Separate several with commas.',
  labels: {
    'Provider.metadata.name': 'Name of the provider',
    'Provider.spec.lab.subnet': 'Network of the lab',
    'Provider.spec.lab.cpus': 'CPUs of a machine',
    'Provider.spec.lab.memory': 'Memory of a machine',
    'Cluster.metadata.name': 'Name',
    'Cluster.spec.kubernetes.version': 'Kubernetes version',
    'Cluster.spec.controlPlane.endpoint.host': 'API address',
    'Cluster.spec.controlPlane.endpoint.port': 'API port',
    'Cluster.spec.controlPlane.certSANs': 'More names for the API',
    'Cluster.spec.controlPlane.machine.cpus': 'CPUs',
    'Cluster.spec.controlPlane.machine.memory': 'Memory',
    'Cluster.spec.controlPlane.antiAffinity': 'Keep masters apart',
    'Cluster.spec.etcd.antiAffinity': 'Keep machines of etcd apart',
    'Cluster.spec.certificates.authority.server.url': 'Address of the server',
    'Cluster.spec.certificates.authority.server.mount': 'Path of its PKI engine',
    'Cluster.spec.certificates.authority.server.trusted': 'Who signed the server’s own certificate',
    'Cluster.spec.deletion.protected': 'Protect this cluster from deletion',
    'Cluster.spec.deletion.volumes': 'Volumes, when it is deleted',
    'Cluster.spec.upgrade.strategy': 'How upgrades are made',
    'Cluster.spec.clusterNetwork.pods.cidrBlocks': 'Pod network',
    'Cluster.spec.clusterNetwork.services.cidrBlocks': 'Service network',
    'Cluster.spec.clusterNetwork.serviceDomain': 'DNS domain of Services',
    'Cluster.spec.nodeNetwork.ranges': 'Addresses for machines',
    'Cluster.spec.nodeNetwork.prefix': 'Prefix length',
    'Cluster.spec.nodeNetwork.gateway': 'Gateway',
    'Cluster.spec.nodeNetwork.dns': 'DNS servers',
    'Cluster.spec.nodeNetwork.ntp': 'Time servers',
    'Cluster.spec.addons.network.type': 'Network plugin',
    'Cluster.spec.addons.dns.enabled': 'DNS for Services',
  } as Readonly<Record<string, string>>,
  workerLabels: { name: 'Group', replicas: 'Machines', cpus: 'CPUs', memory: 'Memory' },
  sections: {
    controlPlane: 'Masters',
    etcd: 'etcd',
    workers: 'Workers',
    certificates: 'Who signs the cluster’s certificates',
    clusterNetwork: 'Inside the cluster',
    nodeNetwork: 'Machines',
    addons: 'Add-ons',
    more: 'More settings',
  },
} as const;
