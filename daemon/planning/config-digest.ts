import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import type { MachineRole, MachineShape } from '../../provisioners/contract/machine.ts';
import { minorOf } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';

/** A taint as Kubernetes writes it. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const digest = (value: Json): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);

const asJson = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

/**
 * What a machine is configured from, as the value of its Node's annotation: `<machine>.<labels>`. The first half is
 * what only a replacement changes, the second what is changed in place. Nothing in it depends on which other machines
 * there are: adding one must not touch the rest (complaint 18).
 */
export function configDigest(
  document: ClusterDocument,
  place: {
    readonly role: MachineRole;
    readonly shape: MachineShape;
    readonly labels: Readonly<Record<string, string>>;
    readonly taints: readonly Taint[];
  },
): string {
  const { kubernetes, controlPlane, clusterNetwork, kubeadm } = document.spec;
  const { extraArgs, patches } = kubeadm;
  // etcd's version goes by kubeadm's minor: a patch of Kubernetes is no reason to exchange its machines.
  if (place.role === 'etcd')
    return digest(asJson({ minor: minorOf(kubernetes.version), shape: place.shape, etcd: extraArgs.etcd }));
  const forAll = { version: kubernetes.version, shape: place.shape, kubelet: extraArgs.kubelet, patches };
  const { kubelet: _, ...components } = extraArgs;
  const forMasters = {
    components,
    endpoint: controlPlane.endpoint,
    clusterNetwork,
    sans: controlPlane.certSANs,
  };
  const machine = place.role === 'worker' ? forAll : { ...forAll, ...forMasters };
  return `${digest(asJson(machine))}.${digest(asJson({ labels: place.labels, taints: place.taints }))}`;
}

/** Whether two digests agree on what only a replacement changes. */
export const isSameMachine = (one: string, other: string): boolean =>
  one.split('.')[0] === other.split('.')[0];
