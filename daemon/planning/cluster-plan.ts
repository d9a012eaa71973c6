import type { Referable } from '../../provisioners/contract/plan.ts';
import { factOf, stepId } from '../../provisioners/contract/plan.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { NodeNetwork } from '../../provisioners/contract/provider.ts';
import type { ClusterSettings } from '../../provisioners/kubernetes/cluster-settings.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import { completeCluster } from '../spec/completion.ts';
import type { ClusterDocument, ProviderDocument } from '../spec/documents.ts';
import { authorityOf } from '../spec/authority.ts';
import { apiPortOf } from './api-port.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import type { Difference } from './difference.ts';
import { endpointsFor, etcdAsked } from './etcd-machines.ts';
import { comingMasters, firstSuccessors, leftBehind, type Succession, successionOf } from './succession.ts';
import { isUpgrade } from './upgrade.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** A reference to a machine that may still have to be met. */
export type MachineReference = Referable<MachineRef>;

/** Everything the steps of one plan are made from. */
export interface PlanContext {
  readonly document: ClusterDocument;
  readonly observed: Observed;
  readonly keys: ClusterPublicKeys;
  readonly bypass: readonly string[];
  readonly wanted: readonly WantedMachine[];
  readonly difference: Difference;
  readonly settings: ClusterSettings;
  readonly nodeNetwork?: NodeNetwork;
  /** Whether a master beside the first may hold a control plane already. */
  readonly mayHaveJoined: boolean;
  /** The cluster is there; what is planned changes it. */
  readonly isEstablished: boolean;
  /** Machines whose whole road this plan walks, by name. */
  readonly unfinished: ReadonlySet<string>;
  /** Where the control plane starts in this plan; absent when there is one already and everybody joins. */
  readonly first?: WantedMachine;
  /** Masters through which the cluster is reached while the plan runs, in the order to try. */
  readonly access: Access;
  /** As `access`, for what comes when masters have left: those that stay, or where none does, those that come. */
  readonly accessAfter: Access;
  /** Machines of another Kubernetes version than asked are there. */
  readonly isUpgrade: boolean;
  /** Masters that leave and answer still. */
  readonly leavingMasters: readonly MachineRef[];
  /**
   * Masters through which one new machine is let in, and looked after: where every master leaves, those that have come
   * before it, and those that are still there.
   */
  accessFor(machine: Pick<WantedMachine, 'name' | 'role'>): Access;
  /** Masters through which the cluster is spoken to while one master leaves, and when it has. */
  accessWithout(name: string): Access;
  /** Who waits for whom where some leave and others come. */
  readonly succession: Succession;
}

interface Access {
  readonly masters: readonly MachineReference[];
  readonly apiPort: number;
  /** Machines of etcd where it stands apart. */
  readonly etcd?: readonly MachineReference[];
}

/** How a machine is named in inputs: what is pinned already, or the fact of the step that pins it. */
export function referenceTo(
  machine: WantedMachine,
  { observed, unfinished }: Pick<PlanContext, 'observed' | 'unfinished'>,
): MachineReference {
  const known = observed.references[machine.name];
  if (known !== undefined && !unfinished.has(machine.name)) return known;
  return factOf(hostKeyReplace, machine.name, 'reference');
}

/** The settings all machines share. @throws UserProblem where nobody says under what address the API is reached */
function settingsOf(
  document: ClusterDocument,
  endpointHost: string | undefined,
  endpoints: readonly string[] = [],
): ClusterSettings {
  const { kubernetes, controlPlane, clusterNetwork, kubeadm } = document.spec;
  if (endpointHost === undefined)
    throw new UserProblem('PLAN-011', 'Nothing says under what address the Kubernetes API is reached', {
      place: { field: 'spec.controlPlane.endpoint.host' },
      remedy: 'Name a free address of the node network, or the DNS name of your balancer.',
    });
  return {
    name: document.metadata.name,
    kubernetesVersion: tagOf(kubernetes.version),
    podCidr: clusterNetwork.pods.cidrBlocks.join(','),
    serviceCidr: clusterNetwork.services.cidrBlocks.join(','),
    serviceDomain: clusterNetwork.serviceDomain,
    endpoint: { host: endpointHost, port: controlPlane.endpoint.port },
    apiPort: apiPortOf(document),
    certSANs: controlPlane.certSANs,
    extraArgs: kubeadm.extraArgs,
    patches: kubeadm.patches,
    ...(isEtcdApart(document) ? { etcd: { endpoints: [...endpoints] } } : {}),
    ...(authorityOf(document) === undefined ? {} : { hasAuthorityChain: true as const }),
  };
}

/** As {@link settingsOf}, from the documents as they are. */
export const settingsFor = (document: ClusterDocument, provider: ProviderDocument): ClusterSettings =>
  settingsOf(document, completeCluster(document, provider).endpointHost);

/** What a plan's context is put together from. */
interface ContextInput {
  readonly document: ClusterDocument;
  readonly provider: ProviderDocument;
  readonly observed: Observed;
  readonly keys: ClusterPublicKeys;
  readonly bypass: readonly string[];
  readonly wanted: readonly WantedMachine[];
  readonly difference: Difference;
  readonly isEstablished: boolean;
  readonly mayHaveJoined: boolean;
  /** Masters whose join was begun and has not ended well. */
  readonly halfJoined?: readonly string[];
}

/** Puts together what the steps are made from. */
export function planContext(input: ContextInput): PlanContext {
  const { document, provider, observed, wanted, difference, isEstablished, halfJoined = [] } = input;
  const { nodeNetwork, endpointHost } = completeCluster(document, provider);
  const settings = settingsOf(document, endpointHost, endpointsFor(wanted, observed));
  const unfinished = new Set(difference.unfinished.map(({ name }) => name));
  const start = difference.masters[0] ?? wanted.find(({ role }) => role === 'control-plane');
  const first = isEstablished ? undefined : start;
  // Who is still on its way to be a master is spoken to only where there is no other.
  const finished = difference.masters.filter(({ name }) => !unfinished.has(name));
  const serving = finished.length > 0 ? finished : difference.masters;
  const reached = first === undefined ? serving : [first];
  const { apiPort } = settings;
  const isUpgrading = isEstablished && isUpgrade(document, observed);
  const refer = (machine: WantedMachine): MachineReference => referenceTo(machine, { observed, unfinished });
  const references = reached.map(refer);
  const leavingMasters = difference.leaving.flatMap(({ role, isDead, reference }) =>
    role === 'control-plane' && !isDead && reference !== undefined ? [reference] : [],
  );
  const successors = firstSuccessors(difference);
  const after = [reached, successors, comingMasters(difference)].find(({ length }) => length > 0) ?? [];
  const etcd = etcdAsked(wanted, observed, difference.leaving, refer);
  const access: Access = {
    masters: first === undefined ? [...references, ...leavingMasters] : references,
    apiPort,
    ...(etcd === undefined ? {} : { etcd: etcd.before }),
  };
  const coming = reached.length > 0 ? [] : comingMasters(difference);
  const accessFor: PlanContext['accessFor'] = ({ name, role }) => {
    const at = role === 'worker' ? coming.length : coming.findIndex((master) => master.name === name);
    const before = coming.slice(0, at).map(refer);
    return { ...access, masters: [...before, ...access.masters] };
  };
  const accessWithout: PlanContext['accessWithout'] = (name) => {
    if (reached.length > 0) return access;
    const left = leftBehind(difference, name);
    const joined = left.coming.map(refer);
    return { ...access, masters: [...joined, ...left.leaving.flatMap(({ reference }) => reference ?? [])] };
  };
  return {
    ...input,
    accessWithout,
    settings,
    unfinished,
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
    ...(first === undefined ? {} : { first }),
    access,
    accessFor,
    accessAfter: {
      masters: after.map(refer),
      apiPort,
      ...(etcd === undefined ? {} : { etcd: etcd.after }),
    },
    isUpgrade: isUpgrading,
    leavingMasters,
    succession: successionOf(document, difference, { isUpgrade: isUpgrading, halfJoined }),
  };
}

/** The step after which the cluster's API can be spoken to. Nothing when it can be already. */
export const apiReady = ({ first }: PlanContext): string[] =>
  first === undefined ? [] : [stepId('control-plane.init', first.name)];
