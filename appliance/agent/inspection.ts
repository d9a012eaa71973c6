import { load } from 'js-yaml';
import { z } from 'zod';
import type { FoundNode, SeenCluster, VisitedMachine } from '../../provisioners/contract/found.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';
import { clusterMark, marksReference } from '../../provisioners/kubernetes/marks.ts';
import { configAnnotation } from '../../provisioners/kubernetes/node-mark.ts';
import { findDoors, findEtcd } from './found-etcd.ts';
import { readKeys } from './found-keys.ts';
import { HostKeys } from './host-keys.ts';
import { publicHalf } from './pki.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import type { ClusterContext } from './protocol/dispatch.ts';
import type { FoundCluster, InspectRequest } from './protocol/questions.ts';
import { questionWork } from './questions.ts';
import { seal } from './sealing.ts';
import { createTaggedClustersQuestions } from './tagged-clusters.ts';
import { type Login, visitMachine } from './visits.ts';
import type { PortsFactory } from './work.ts';

/** What answering needs. */
export interface InspectParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
  /** The agent's own age recipient. */
  readonly recipient: string;
  /** Default: age. A simulation seals nothing. */
  readonly seal?: typeof seal;
  /** Default: of real certificates. */
  readonly publicHalf?: typeof publicHalf;
}

/** Name under which the login travels among the secrets of the question. */
const loginName = 'login';

/**
 * Finds out what there is of a cluster that is to be taken in, by way of one of its masters. Whatever is changed later is
 * changed by an operation: this only reads. And whose things there are at a provider at all.
 */
export function createInspectQuestions(
  parts: InspectParts,
): Pick<AgentOutgoing, 'cluster.inspect' | 'provider.clusters'> {
  return {
    'cluster.inspect': (request) => inspect(parts, request),
    ...createTaggedClustersQuestions(parts),
  };
}

async function inspect(parts: InspectParts, request: InspectRequest): Promise<FoundCluster> {
  const { context: asked, master, apiPort, login, recipients } = request;
  const hostKeys = new HostKeys(request);
  const sealTo = parts.seal ?? seal;
  const own = [parts.recipient];
  const context: ClusterContext = { ...asked, secrets: { ...asked.secrets, [loginName]: login } };
  const portsWith = async (keys: ClusterKeys): Promise<Ports> =>
    parts.ports(questionWork(parts, { ...context, keys: await sealTo(own, JSON.stringify(keys)) }));
  const sshPrivateKey = await parts
    .ports(questionWork(parts, context))
    .secrets.value(loginName, 'privateKey');
  const before = await portsWith(keysWithLogin(sshPrivateKey));
  const shown = await hostKeys.requireOf(before.host, master);
  const first: MachineRef = { name: master.address, ...master, hostKeys: [shown] };
  const doors = await findDoors(before, first, { login: master, hostKeys });
  const found = await readKeys(before, first, doors);
  const access = { ...found, sshPrivateKey, sshPublicKey: '' };
  const ports = await portsWith(access);
  const facts = await ports.host.facts(first);
  const reached = { masters: [{ ...first, name: facts.hostname }], apiPort };
  const seen = await look(ports, reached, doors, { login: master, hostKeys });
  const ssh = generateSshKey(`remuda ${asked.cluster.name}`);
  const keys: ClusterKeys = { ...found, sshPrivateKey: ssh.private, sshPublicKey: ssh.public };
  return {
    ...seen,
    keys: {
      sealed: await sealTo(recipients, JSON.stringify(keys)),
      public: (parts.publicHalf ?? publicHalf)(keys),
    },
    access: await sealTo(own, JSON.stringify(access)),
  };
}

/** Keys as long as none are known but what opens the machines. */
const keysWithLogin = (sshPrivateKey: string): ClusterKeys => {
  const none = { certificate: '', key: '' };
  return {
    kubernetes: none,
    etcd: none,
    frontProxy: none,
    serviceAccount: { publicKey: '', privateKey: '' },
    encryptionKey: '',
    bootstrapToken: '',
    vrrpPassword: '',
    sshPrivateKey,
    sshPublicKey: '',
  };
};

const nodeSchema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  status: z.looseObject({
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).optional(),
    conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).optional(),
    nodeInfo: z.looseObject({ kubeletVersion: z.string() }).optional(),
  }),
});

const configurationSchema = z.looseObject({
  clusterName: z.string().optional(),
  controlPlaneEndpoint: z.string().optional(),
  networking: z
    .looseObject({
      podSubnet: z.string().optional(),
      serviceSubnet: z.string().optional(),
      dnsDomain: z.string().optional(),
    })
    .optional(),
});

const dataSchema = z.object({ data: z.record(z.string(), z.string()).optional() });
const dataOf = (object: KubernetesObject | undefined): Readonly<Record<string, string>> =>
  object === undefined ? {} : (dataSchema.parse(object).data ?? {});

async function look(
  ports: Ports,
  access: ControlPlaneAccess,
  doors: readonly VisitedMachine[] | undefined,
  visiting: { readonly login: Login; readonly hostKeys: HostKeys },
): Promise<SeenCluster> {
  const { kubernetes } = ports;
  const [first] = access.masters;
  const version = first === undefined ? undefined : await kubernetes.version(access, first);
  if (version === undefined)
    throw new Blocked(
      'ADOPT-002',
      `The API server on ${first?.name} does not answer at port ${access.apiPort}`,
      {
        remedy:
          'Name a master whose API server is ready (/readyz), and its port in spec.controlPlane.apiPort.',
      },
    );
  const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const marks = dataOf(await kubernetes.get(access, marksReference));
  const text = dataOf(await kubernetes.get(access, config))['ClusterConfiguration'] || '{}';
  const { clusterName = '', controlPlaneEndpoint = '', networking } = configurationSchema.parse(load(text));
  const objects = await kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
  const sets = await kubernetes.list(access, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    namespace: 'kube-system',
  });
  const nodes = await Promise.all(objects.map((object) => visit(ports, object, visiting)));
  const masters = nodes.flatMap(({ isMaster, reference }) => (isMaster ? (reference ?? []) : []));
  const etcd = await findEtcd(ports, { ...access, masters }, doors, visiting);
  const members = etcd.topology === 'external' ? etcd.members : [];
  const addresses = [...nodes, ...members].flatMap(({ address }) => address ?? []);
  const machines = await ports.provider.ownership?.find(addresses);
  const uids = new Set(machines?.map(({ cluster }) => cluster.uid));
  const [ofProvider] = uids.size === 1 ? uids : [];
  const uid = marks[clusterMark] ?? ofProvider;
  return {
    ...(uid === undefined ? {} : { uid }),
    isKept: marks[clusterMark] !== undefined,
    version,
    settings: {
      name: clusterName,
      endpoint: controlPlaneEndpoint,
      podCidr: networking?.podSubnet ?? '',
      serviceCidr: networking?.serviceSubnet ?? '',
      serviceDomain: networking?.dnsDomain ?? '',
    },
    nodes,
    etcd,
    daemonSets: sets.map(({ metadata }) => metadata.name),
    ...(machines === undefined ? {} : { machines }),
  };
}

const masterLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** A Node, and whether its machine lets us in. */
async function visit(
  ports: Ports,
  object: KubernetesObject,
  { login, hostKeys }: { readonly login: Login; readonly hostKeys: HostKeys },
): Promise<FoundNode> {
  const { metadata, status } = nodeSchema.parse(object);
  const { name, labels = {}, annotations = {} } = metadata;
  const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const node = {
    name,
    isMaster: masterLabels.some((label) => labels[label] !== undefined),
    isReady: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
    kubeletVersion: status.nodeInfo?.kubeletVersion ?? '',
    hasMark: annotations[configAnnotation] !== undefined,
  };
  if (address === undefined) return { ...node, why: 'its Node names no InternalIP' };
  return { ...node, ...(await visitMachine(ports, { name, address }, login, hostKeys)) };
}
