import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { EtcdMember, Observed, ObservedNode } from '../../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../../provisioners/contract/plan.ts';
import type { ProviderMachine } from '../../../provisioners/contract/provider.ts';
import type { ClusterPublicKeys } from '../../../provisioners/contract/secrets.ts';
import { addonObjects } from '../../../provisioners/kubernetes/addon-objects.ts';
import { accessDigest } from '../../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import {
  accessMark,
  addonMark,
  clusterMark,
  endpointMark,
  verifiedMark,
} from '../../../provisioners/kubernetes/marks.ts';
import { etcdMark } from '../../../provisioners/kubernetes/etcd-endpoints.ts';
import type { EndpointServers } from '../../../provisioners/kubernetes/endpoint-service.ts';
import { endpointDigest } from '../../../provisioners/kubernetes/steps/endpoint-settle.ts';
import { verifiedDigest } from '../../../provisioners/kubernetes/steps/cluster-verify.ts';
import { planCluster } from '../../../daemon/planning/planner.ts';
import type { ClusterRequest } from '../../../daemon/planning/request.ts';
import { referencedSteps } from '../../../daemon/planning/planned-step.ts';
import { clusterDocumentSchema } from '../../../daemon/spec/schema/cluster.ts';
import { providerDocumentSchema } from '../../../daemon/spec/schema/provider.ts';
import { type ClusterDocument, isCluster, type ProviderDocument } from '../../../daemon/spec/documents.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';

/** Public halves of keys that nobody holds the private halves of. */
const publicKeys: ClusterPublicKeys = {
  caHash: 'sha256:00',
  caCertificate: 'certificate',
  sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake',
};

const at = '2026-11-21T05:00:00.000Z';

/** The example of the manual: three masters and two workers in the lab. */
export function labExample(): { desired: ClusterDocument; provider: ProviderDocument } {
  const file = resolve(import.meta.dirname, '../../../ui/docs/examples/lab-ha.yaml');
  const stream = parseStream(readFileSync(file, 'utf8'), { file: 'lab-ha.yaml' });
  const documents = stream.documents.map(({ document }) => document);
  const desired = documents.find(isCluster);
  const provider = documents.find((document) => document.kind === 'Provider');
  if (desired === undefined || provider === undefined) throw new Error('the example is not whole');
  return { desired, provider };
}

/** The lab provider with a subnet of its own. */
export const labProvider: ProviderDocument = providerDocumentSchema.parse({
  apiVersion: 'remuda.dev/v1alpha1',
  kind: 'Provider',
  metadata: { name: 'lab' },
  spec: { type: 'lab', lab: { subnet: '10.80.0.0/16' } },
});

/** A cluster of the given size; `changes` goes over the spec. */
export function cluster(masters: number, workers: number, changes: object = {}): ClusterDocument {
  return clusterDocumentSchema.parse({
    apiVersion: 'remuda.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'c' },
    spec: {
      provider: 'lab',
      kubernetes: { version: '1.20.2' },
      controlPlane: { replicas: masters, endpoint: { host: '10.80.255.100' } },
      workers: [{ name: 'w', replicas: workers }],
      nodeNetwork: { ranges: ['10.80.1.1-10.80.200.250'], prefix: 16, gateway: '10.80.0.1' },
      ...changes,
    },
  });
}

/** Nothing made yet, and everything seen. */
export const nothing = (name = 'c'): Observed => ({
  cluster: { uid: 'uid-1', name },
  at,
  infrastructure: { state: 'absent', detail: 'nothing there' },
  machines: [],
  references: {},
  incarnations: {},
  retired: {},
  unseen: [],
});

/** A request with everything ordinary filled in. */
export function request(
  desired: ClusterDocument,
  observed: Observed,
  more: Partial<ClusterRequest> = {},
): ClusterRequest {
  return { desired, provider: labProvider, observed, revision: 'r1', keys: publicKeys, ...more };
}

interface Draft {
  machines: ProviderMachine[];
  nodes: ObservedNode[];
  voters: EtcdMember[];
  marks: Record<string, string>;
  references: Record<string, Observed['references'][string]>;
  incarnations: Record<string, number>;
  retired: Record<string, Observed['retired'][string]>;
  state: Observed['infrastructure']['state'];
}

interface StepInput {
  readonly name?: string;
  readonly token?: string;
  readonly incarnation?: number;
  readonly role?: ProviderMachine['role'];
  readonly address?: string;
  readonly version?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: ObservedNode['taints'];
  readonly configDigest?: string;
  readonly nodes?: string[];
  readonly voters?: string[];
  readonly kubernetesVersion?: string;
  readonly settings?: { readonly kubernetesVersion: string };
  readonly servers?: EndpointServers;
  readonly note?: string;
}

function join(draft: Draft, name: string, isMaster: boolean, version = 'v1.20.2'): void {
  draft.nodes = draft.nodes.filter((node) => node.name !== name);
  draft.nodes.push({
    name,
    ready: true,
    unschedulable: false,
    kubeletVersion: version,
    controlPlane: isMaster,
    labels: {},
    taints: [],
  });
  const isEtcdApart = draft.machines.some(({ role }) => role === 'etcd');
  if (isMaster && !isEtcdApart && !draft.voters.some((voter) => voter.name === name))
    startMember(draft, name);
}

/** One healthy voter of a machine, whatever was there of it before. */
function startMember(draft: Draft, name: string): void {
  const address = draft.references[name]?.address ?? name;
  const isOwn = (member: EtcdMember): boolean =>
    member.name === name || member.peerURLs.some((url) => url.includes(`//${address}:`));
  draft.voters = draft.voters.filter((member) => !isOwn(member));
  draft.voters.push({
    id: `id-${name}`,
    name,
    peerURLs: [`https://${address}:2380`],
    started: true,
    learner: false,
    healthy: true,
    leader: draft.voters.length === 0,
  });
}

/** Its work begins to be taken from a machine that leaves, for good. */
function strip(draft: Draft, name: string): void {
  const retirement = draft.retired[name];
  if (retirement !== undefined) draft.retired[name] = { ...retirement, isStripped: true };
}

const effects: Readonly<Record<string, (draft: Draft, input: StepInput, step: PlannedStep) => void>> = {
  'infrastructure.prepare': (draft) => {
    draft.state = 'present';
  },
  'machine.create': (draft, { name = '', token = '', incarnation = 1, role = 'worker', address }) => {
    if (draft.machines.some((machine) => machine.token === token)) {
      draft.machines = draft.machines.map((one) =>
        one.token === token ? { ...one, state: 'running' } : one,
      );
      return;
    }
    draft.machines.push({
      name,
      token,
      incarnation,
      cluster: { uid: 'uid-1', name: 'c' },
      role,
      id: `vm-${name}`,
      state: 'running',
      provisionalHostKey: 'ssh-ed25519 PROVISIONAL',
      ...(address === undefined ? {} : { address: address.split('/')[0] ?? address }),
    });
    draft.incarnations[name] = incarnation;
    delete draft.retired[name];
  },
  'host-key.replace': (draft, _input, { subject }) => {
    const address = draft.machines.find(({ name }) => name === subject)?.address ?? subject;
    draft.references[subject] = {
      name: subject,
      address,
      port: 22,
      user: 'root',
      hostKeys: ['ssh-ed25519 OWN'],
    };
  },
  'etcd-member.start': (draft, _input, { subject }) => startMember(draft, subject),
  'etcd-endpoints.publish': (draft, { note }) => {
    if (note !== undefined) draft.marks[etcdMark] = note;
  },
  'control-plane.init': (draft, { settings }, { subject }) =>
    join(draft, subject, true, settings?.kubernetesVersion),
  'control-plane.join': (draft, { settings }, { subject }) =>
    join(draft, subject, true, settings?.kubernetesVersion),
  'worker.join': (draft, { settings }, { subject }) =>
    join(draft, subject, false, settings?.kubernetesVersion),
  'endpoint.settle': (draft, { servers }) => {
    if (servers !== undefined) draft.marks[endpointMark] = endpointDigest(servers);
  },
  'cluster-access.grant': (draft) => {
    draft.marks[accessMark] = accessDigest;
    draft.marks[clusterMark] = 'uid-1';
  },
  'node.label': (draft, { name, labels = {}, taints = [], configDigest = '' }) => {
    draft.nodes = draft.nodes.map((node) =>
      node.name === name ? { ...node, labels, taints, configDigest } : node,
    );
  },
  'addon.install': (draft, input) => {
    const { name = '', version = '', ...rest } = input as Omit<StepInput, 'settings'>;
    const digest = addonObjects(name, version, rest as Parameters<typeof addonObjects>[2]).digest;
    draft.marks[addonMark(name)] = digest;
  },
  'node.cordon': (draft, _input, { subject }) => {
    draft.nodes = draft.nodes.map((node) =>
      node.name === subject ? { ...node, unschedulable: true, cordonedBy: 'operation-1' } : node,
    );
  },
  'node.uncordon': (draft, _input, { subject }) => {
    draft.nodes = draft.nodes.map(({ cordonedBy, ...node }) =>
      node.name === subject && cordonedBy !== undefined ? { ...node, unschedulable: false } : node,
    );
  },
  'etcd-member.remove': (draft, _input, { subject }) => {
    // One that never started has no name, only its address.
    const url = `//${draft.references[subject]?.address ?? subject}:`;
    draft.voters = draft.voters.filter(
      ({ name, peerURLs }) => name !== subject && (name !== '' || !peerURLs.some((one) => one.includes(url))),
    );
  },
  'endpoint.withdraw': (draft, _input, { subject }) => strip(draft, subject),
  'api-server.stop': (draft, _input, { subject }) => strip(draft, subject),
  'machine.destroy': (draft, _input, { subject }) => {
    draft.machines = draft.machines.filter(({ name }) => name !== subject);
  },
  'machine.fence': (draft, _input, { subject }) => {
    const retirement = draft.retired[subject];
    if (retirement !== undefined) draft.retired[subject] = { ...retirement, isFenced: true };
    draft.nodes = draft.nodes.map((node) => (node.name === subject ? { ...node, ready: false } : node));
  },
  'machine.stop': (draft, _input, { subject }) => {
    draft.machines = draft.machines.map((machine) =>
      machine.name === subject ? { ...machine, state: 'off' } : machine,
    );
  },
  'node.remove': (draft, _input, { subject }) => {
    draft.nodes = draft.nodes.filter(({ name }) => name !== subject);
  },
  'cluster.verify': (draft, { nodes = [], voters = [], kubernetesVersion = '' }) => {
    draft.marks[verifiedMark] = verifiedDigest({ nodes, voters, kubernetesVersion });
  },
};

/**
 * A pure model of what steps bring about, with no I/O and no time: the first `count` steps of a plan, in an order its
 * graph allows, applied to what was observed.
 */
export function applied(observed: Observed, plan: Plan, count = plan.steps.length): Observed {
  const draft: Draft = {
    machines: [...(observed.machines ?? [])],
    nodes: [...(observed.nodes ?? [])],
    voters: [...(observed.voters ?? [])],
    marks: { ...observed.marks },
    references: { ...observed.references },
    incarnations: { ...observed.incarnations },
    retired: { ...observed.retired },
    state: observed.infrastructure.state,
  };
  // The daemon writes down who leaves together with the plan, before anything runs.
  for (const [name, retirement] of Object.entries(plan.retires ?? {}))
    draft.retired[name] = { ...retirement, since: at, isFenced: false };
  for (const name of plan.takesBack ?? []) delete draft.retired[name];
  for (const step of inOrder(plan.steps).slice(0, count))
    effects[step.kind]?.(draft, step.input as StepInput, step);
  const hasApi = draft.nodes.length > 0;
  return {
    cluster: observed.cluster,
    at,
    infrastructure: { state: draft.state, detail: '' },
    machines: draft.machines,
    references: draft.references,
    incarnations: draft.incarnations,
    retired: draft.retired,
    unseen: [],
    ...(hasApi
      ? { nodes: draft.nodes, voters: draft.voters, marks: draft.marks, apiVersion: oldestMaster(draft) }
      : {}),
  };
}

/** What an API server of the oldest master says. */
const oldestMaster = ({ nodes }: Draft): string =>
  nodes
    .filter(({ controlPlane }) => controlPlane)
    .map(({ kubeletVersion }) => kubeletVersion)
    .sort()[0] ?? 'v1.20.2';

/** Steps in an order the graph allows. @throws Error when there is a circle or an edge to nothing */
export function inOrder(steps: readonly PlannedStep[]): PlannedStep[] {
  const done = new Set<string>();
  const ordered: PlannedStep[] = [];
  let rest = [...steps];
  while (rest.length > 0) {
    const ready = rest.filter(({ after }) => after.every((id) => done.has(id)));
    if (ready.length === 0) throw new Error(`no way on: ${rest.map(({ id }) => id).join(', ')}`);
    for (const step of ready) done.add(step.id);
    ordered.push(...ready);
    rest = rest.filter(({ id }) => !done.has(id));
  }
  return ordered;
}

/** Every step before a step, near and far. */
export function ancestors(steps: readonly PlannedStep[], id: string): Set<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Set<string>();
  const visit = (current: string): void => {
    for (const before of byId.get(current)?.after ?? [])
      if (!found.has(before)) {
        found.add(before);
        visit(before);
      }
  };
  visit(id);
  return found;
}

/** Facts a step's input names, as ids of the steps they come from. */
export const needsOf = (step: PlannedStep): string[] => referencedSteps(step.input);

/** A cluster that is finished: the plan that makes it, applied to the model. */
export const finished = (desired: ClusterDocument): Observed =>
  applied(nothing(), planCluster(request(desired, nothing())));
