import type { FoundEtcd, SeenCluster } from '../../provisioners/contract/found.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { addonObjects } from '../../provisioners/kubernetes/addon-objects.ts';
import { isOfVersion } from '../../provisioners/kubernetes/cluster-health.ts';
import {
  etcdMark,
  readNote,
  type EtcdNote,
  unservedNote,
} from '../../provisioners/kubernetes/etcd-endpoints.ts';
import { clusterMark } from '../../provisioners/kubernetes/marks.ts';
import type { ClusterDocument, ProviderDocument } from '../spec/documents.ts';
import { wantedAddons } from './addon-steps.ts';
import { settingsFor } from './cluster-plan.ts';
import { endpointsFor, isVoter, noteOf } from './etcd-machines.ts';
import { machinesOnDuty } from './wanted.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';

/** A field of the document that describes another cluster than the one that was found. */
export interface FoundDifference {
  readonly field: string;
  readonly found: string;
  readonly asked: string;
}

/** How a document and a cluster that was found go together. */
export interface FoundComparison {
  readonly differences: readonly FoundDifference[];
  /** The network add-on of the document, where it does not run there. */
  readonly lacksNetwork?: string;
  /** The document has etcd apart, and an earlier agent looked, which knows of none. */
  readonly isEtcdUnseen: boolean;
}

/**
 * Compares what the whole cluster was made with: what no apply could change, or would change everywhere. What is not told
 * is not compared. Pure.
 */
export function compareFound(
  document: ClusterDocument,
  provider: ProviderDocument,
  found: Pick<SeenCluster, 'settings' | 'version' | 'nodes' | 'daemonSets' | 'etcd'>,
): FoundComparison {
  const settings = settingsFor(document, provider);
  const { kubernetesVersion, endpoint, podCidr, serviceCidr, serviceDomain } = settings;
  const told: readonly FoundDifference[] = [
    { field: 'spec.clusterNetwork.pods.cidrBlocks', found: found.settings.podCidr, asked: podCidr },
    {
      field: 'spec.clusterNetwork.services.cidrBlocks',
      found: found.settings.serviceCidr,
      asked: serviceCidr,
    },
    { field: 'spec.clusterNetwork.serviceDomain', found: found.settings.serviceDomain, asked: serviceDomain },
    {
      field: 'spec.controlPlane.endpoint',
      found: found.settings.endpoint,
      asked: `${endpoint.host}:${endpoint.port}`,
    },
    {
      field: 'spec.etcd.topology',
      found: found.etcd?.topology ?? '',
      asked: isEtcdApart(document) ? 'external' : 'stacked',
    },
    { field: 'metadata.name', found: found.settings.name, asked: document.metadata.name },
  ];
  const versions = [found.version, ...found.nodes.map(({ kubeletVersion }) => kubeletVersion)];
  const other = versions.find((version) => version !== '' && !isOfVersion(version, kubernetesVersion));
  const network = wantedAddons(document)[0];
  const isThere = network === undefined || hasDaemonSets(network, settings, found.daemonSets);
  return {
    differences: [
      ...(other === undefined
        ? []
        : [{ field: 'spec.kubernetes.version', found: other, asked: kubernetesVersion }]),
      ...told.filter(({ found: is, asked }) => is !== '' && is !== asked),
    ],
    isEtcdUnseen: isEtcdApart(document) && found.etcd === undefined,
    ...(isThere ? {} : { lacksNetwork: document.spec.addons.network.type }),
  };
}

function hasDaemonSets(
  { name, version, settings: own }: ReturnType<typeof wantedAddons>[number],
  { kubernetesVersion, podCidr, serviceCidr, serviceDomain }: ReturnType<typeof settingsFor>,
  there: readonly string[],
): boolean {
  const input = { kubernetesVersion, podCidr, serviceCidr, serviceDomain, settings: own };
  const { objects } = addonObjects(name, version, input);
  return objects.every(({ kind, metadata }) => kind !== 'DaemonSet' || there.includes(metadata.name));
}

/**
 * The marks of machines that are there and bear none, as the document would have them: of what it was made from a machine
 * tells by its place among the groups, its Kubernetes version and what {@link compareFound} has compared. Pure.
 */
export function digestsFor(
  document: ClusterDocument,
  provider: ProviderDocument,
  observed: Observed,
): Readonly<Record<string, string>> {
  const { wanted } = machinesOnDuty(document, provider, observed);
  return Object.fromEntries(
    wanted.flatMap(({ name, node, machine, digest }) =>
      machine !== undefined && node !== undefined && node.configDigest === undefined
        ? [[name, digest] as const]
        : [],
    ),
  );
}

/** Whether every API server is given just these members. */
const isServedBy = (
  masters: readonly string[],
  given: Readonly<Record<string, readonly string[]>>,
  endpoints: readonly string[],
): boolean => masters.every((name) => given[name]?.toSorted().join(',') === endpoints.toSorted().join(','));

/**
 * As {@link digestsFor}, of machines of etcd, which have no Node: what the cluster is to note of those that vote. Where a
 * master's API server is given others, it says too that nobody was told of them yet. Undefined where the cluster notes
 * them already, or etcd does not stand apart. Pure.
 */
export function etcdNoteFor(
  document: ClusterDocument,
  provider: ProviderDocument,
  observed: Observed,
  etcd: FoundEtcd | undefined,
): string | undefined {
  if (etcd?.topology !== 'external' || readNote(observed.marks) !== undefined) return undefined;
  const { wanted } = machinesOnDuty(document, provider, observed);
  const there = wanted.filter(({ name, role, machine, node }) =>
    role === 'etcd'
      ? machine !== undefined && isVoter(observed, name)
      : role === 'control-plane' && node !== undefined,
  );
  const masters = there.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
  const note = noteOf(there);
  const endpoints = endpointsFor(there, observed);
  if (endpoints === undefined) return undefined;
  return isServedBy(masters, etcd.given, endpoints) ? note : unservedNote(JSON.parse(note) as EtcdNote);
}

/** What will be seen once the marks are set: what the next apply is planned from. Pure. */
export function asAdopted(
  observed: Observed,
  digests: Readonly<Record<string, string>>,
  etcdNote: string | undefined,
): Observed {
  const { nodes, marks, cluster } = observed;
  return {
    ...observed,
    ...(nodes === undefined
      ? {}
      : {
          nodes: nodes.map((node) => {
            const configDigest = node.configDigest ?? digests[node.name];
            return configDigest === undefined ? node : { ...node, configDigest };
          }),
        }),
    marks: {
      ...marks,
      [clusterMark]: cluster.uid,
      ...(etcdNote === undefined ? {} : { [etcdMark]: etcdNote }),
    },
  };
}
