import type { DocumentProblem } from '../issue.ts';
import type { Path } from '../schema/walk.ts';
import { type ClusterContext, plural, repeated } from './context.ts';
import { etcdReplicas, isEtcdApart } from './etcd.ts';
import { listWords } from '../suggestion.ts';

/** What is added to `<cluster>-<group>` to name a machine: a hyphen and up to seven characters. */
const MACHINE_SUFFIX = 8;
/** A host name is one DNS label (RFC 1123). */
const LABEL_LIMIT = 63;
/** Group names the masters' machines use. */
const reservedGroups: ReadonlySet<string> = new Set(['cp', 'control-plane']);

/** Labels the kubelet or kubeadm sets itself. */
const ownLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
]);

/** Even numbers of masters. */
export function masterCount({ cluster }: ClusterContext): DocumentProblem[] {
  const { replicas } = cluster.spec.controlPlane;
  if (replicas % 2 === 1) return [];
  return [
    {
      code: 'SPEC-041',
      path: ['spec', 'controlPlane', 'replicas'],
      summary: `A control plane of ${replicas} masters survives no more failures than one of ${replicas - 1}: etcd needs a majority.`,
      remedy: `Write ${replicas - 1} or ${replicas + 1}.`,
    },
  ];
}

/** The Kubernetes version is one that can be installed. */
export function kubernetesVersion({ cluster, supportedVersions }: ClusterContext): DocumentProblem[] {
  const { version } = cluster.spec.kubernetes;
  const minor = version.split('.').slice(0, 2).join('.');
  if (supportedVersions.minor.includes(minor)) return [];
  return [
    {
      code: 'SPEC-040',
      path: ['spec', 'kubernetes', 'version'],
      summary: `Kubernetes ${minor} cannot be installed by this version of Remuda.`,
      remedy: `Choose a release of ${listWords(supportedVersions.minor)}.`,
    },
  ];
}

/** Names of worker groups: unique, not the masters', short enough for a host name. */
export function groupNames({ cluster }: ClusterContext): DocumentProblem[] {
  const groups = cluster.spec.workers;
  const nameAt = (index: number): Path => ['spec', 'workers', index, 'name'];
  const twice = repeated(groups, (group) => group.name).map(({ item, index }) => ({
    code: 'SPEC-042',
    path: nameAt(index),
    summary: `Two worker groups are named "${item.name}".`,
    remedy: 'Give each group its own name.',
    related: [nameAt(groups.findIndex((group) => group.name === item.name))],
  }));
  const taken = groups.flatMap((group, index) =>
    reservedGroups.has(group.name)
      ? [
          {
            code: 'SPEC-042',
            path: nameAt(index),
            summary: `"${group.name}" is the name of the masters' own machines.`,
            remedy: 'Choose another name, such as general.',
          },
        ]
      : [],
  );
  if (isEtcdApart(cluster))
    taken.push(
      ...groups.flatMap((group, index) =>
        group.name === 'etcd'
          ? [
              {
                code: 'SPEC-042',
                path: nameAt(index),
                summary: '"etcd" is the name of the machines of etcd.',
                remedy: 'Choose another name, such as general.',
              },
            ]
          : [],
      ),
    );
  return [
    ...twice,
    ...taken,
    ...longNames(cluster.metadata.name, ['control-plane', ...groups.map((g) => g.name)]),
  ];
}

function longNames(cluster: string, groups: readonly string[]): DocumentProblem[] {
  const limit = LABEL_LIMIT - MACHINE_SUFFIX;
  const [masters = '', ...workers] = groups;
  if (`${cluster}-${masters}`.length > limit)
    return [
      {
        code: 'SPEC-043',
        path: ['metadata', 'name'],
        summary: `"${cluster}" has ${cluster.length} characters; machine names made from it would pass ${LABEL_LIMIT}.`,
        remedy: `Use at most ${limit - masters.length - 1} characters.`,
      },
    ];
  return workers.flatMap((group, index) =>
    `${cluster}-${group}`.length <= limit
      ? []
      : [
          {
            code: 'SPEC-043',
            path: ['spec', 'workers', index, 'name'],
            summary: `The machines' names would begin with "${cluster}-${group}" and pass ${LABEL_LIMIT} characters.`,
            remedy: `Use at most ${limit - cluster.length - 1} characters for this group.`,
            related: [['metadata', 'name']],
          },
        ],
  );
}

/** Sizes of machines: either automatic or given, and enough for a master. */
export function machineSizes(context: ClusterContext): DocumentProblem[] {
  const { controlPlane, etcd, workers } = context.cluster.spec;
  const master: Path = ['spec', 'controlPlane', 'machine'];
  const problems = sizeConflicts(controlPlane.machine, master);
  if (controlPlane.machine.cpus === 1)
    problems.push({
      code: 'SPEC-053',
      path: [...master, 'cpus'],
      summary: 'A master with 1 CPU is refused by kubeadm.',
      remedy: 'Write at least 2.',
    });
  problems.push(...sizeConflicts(etcd.machine, ['spec', 'etcd', 'machine']));
  const type = context.provider?.spec.type;
  const isSizedByUs = type === 'vsphere' || type === 'ec2' || type === 'metal';
  for (const [index, group] of workers.entries()) {
    const path: Path = ['spec', 'workers', index, 'machine'];
    problems.push(...sizeConflicts(group.machine, path));
    const isAutomatic = group.machine.cpus === undefined && group.machine.memory === undefined;
    if (isSizedByUs && isAutomatic)
      problems.push({
        code: 'SPEC-052',
        path: context.isWritten(path) ? path : ['spec', 'workers', index],
        summary: `The machines of group "${group.name}" have no size: only masters and lab machines can be sized automatically.`,
        remedy: 'Write machine: { cpus: 4, memory: 16Gi }.',
      });
  }
  return problems;
}

type Machine = ClusterContext['cluster']['spec']['controlPlane']['machine'];

function sizeConflicts(machine: Machine, path: Path): DocumentProblem[] {
  const given = (['cpus', 'memory'] as const).filter((name) => machine[name] !== undefined);
  const [first] = given;
  if (first === undefined) return [];
  if (machine.size === 'auto')
    return [
      {
        code: 'SPEC-052',
        path: [...path, 'size'],
        summary: `"size: auto" and "${first}" are both written; only one can decide.`,
        remedy: `Remove "size", or remove ${given.map((name) => `"${name}"`).join(' and ')}.`,
        related: [[...path, first]],
      },
    ];
  if (given.length === 2) return [];
  const other = first === 'cpus' ? 'memory' : 'cpus';
  return [
    {
      code: 'SPEC-052',
      path: [...path, first],
      summary: `"${first}" is written without "${other}".`,
      remedy: `Add "${other}", or write size: auto.`,
      related: [[...path, other]],
    },
  ];
}

/** Labels and taints that Kubernetes would refuse or overwrite. */
export function labelsAndTaints({ cluster }: ClusterContext): DocumentProblem[] {
  return cluster.spec.workers.flatMap((group, index) => {
    const base: Path = ['spec', 'workers', index];
    const labels = Object.keys(group.labels)
      .filter((key) => ownLabels.has(key))
      .map((key) => ({
        code: 'SPEC-054',
        path: [...base, 'labels', key],
        atKey: true,
        summary: `The label "${key}" is set by Kubernetes itself.`,
        remedy: 'Remove it, or use a key of your own.',
      }));
    const taints = repeated(group.taints, (taint) => `${taint.key}\n${taint.effect}`).map((twice) => ({
      code: 'SPEC-054',
      path: [...base, 'taints', twice.index, 'key'],
      summary: `The taint "${twice.item.key}" with effect ${twice.item.effect} is written twice.`,
      remedy: 'Keep one of the two.',
    }));
    return [...labels, ...taints];
  });
}

/** A `hosts` provider must list enough hosts of each role. */
export function enoughHosts({ cluster, provider }: ClusterContext): DocumentProblem[] {
  const hosts = provider?.spec.type === 'hosts' ? provider.spec.hosts : undefined;
  if (!hosts) return [];
  const workers = cluster.spec.workers.reduce((sum, group) => sum + group.replicas, 0);
  const asked = [
    {
      role: 'control-plane',
      count: cluster.spec.controlPlane.replicas,
      path: ['spec', 'controlPlane', 'replicas'],
    },
    { role: 'worker', count: workers, path: ['spec', 'workers'] },
    { role: 'etcd', count: etcdReplicas(cluster), path: ['spec', 'etcd', 'replicas'] },
  ];
  return asked.flatMap(({ role, count, path }) => {
    const there = hosts.filter((host) => host.role === role).length;
    if (there >= count) return [];
    return [
      {
        code: 'SPEC-062',
        path,
        summary: `The cluster asks for ${plural(count, `${role} machine`)}, but the provider lists ${plural(there, 'host')} of that role.`,
        remedy: `Add ${plural(count - there, 'host')} with role: ${role}, or ask for fewer machines.`,
      },
    ];
  });
}
