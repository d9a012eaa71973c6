import type { MachineRef } from './machine.ts';
import type { FoundMachine } from './provider.ts';

/** A cluster that somebody else made or that was lost, as it was found by way of one of its masters. */
export interface SeenCluster {
  /** From its own mark, or from the provider's record of its machines; absent when neither knows one. */
  readonly uid?: string;
  /** Its mark says that a Remuda keeps it. */
  readonly isKept: boolean;
  /** Version of the API server, `v1.20.2`. */
  readonly version: string;
  readonly settings: FoundSettings;
  readonly nodes: readonly FoundNode[];
  /** Where its etcd is. Absent in answers of agents from before etcd apart could be adopted. */
  readonly etcd?: FoundEtcd;
  /** Names of the DaemonSets in kube-system. */
  readonly daemonSets: readonly string[];
  /** Machines at the provider with the addresses of Nodes and of etcd's members; absent where it cannot tell. */
  readonly machines?: readonly FoundMachine[];
}

/** What a cluster was made with, as kubeadm keeps it; empty what is not told. */
export interface FoundSettings {
  readonly name: string;
  /** `host:port` */
  readonly endpoint: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly serviceDomain: string;
}

/** Where a cluster's etcd is: a member on each master, or machines of its own. */
export type FoundEtcd =
  | { readonly topology: 'stacked' }
  | {
      readonly topology: 'external';
      /** Every member that etcd knows of, by the machine it is on. */
      readonly members: readonly VisitedMachine[];
      /** Master → client URLs of etcd that its API server is given; of masters that could be visited. */
      readonly given: Readonly<Record<string, readonly string[]>>;
    };

/** A machine of the cluster and the way to it. */
export interface VisitedMachine {
  readonly name: string;
  readonly address?: string;
  /** Pinned to the host key that was shown; absent when the machine could not be visited. */
  readonly reference?: MachineRef;
  /** Why it could not. */
  readonly why?: string;
  /** Only where host keys were given beforehand: what it showed and what it may show, as fingerprints. */
  readonly hostKey?: { readonly shown: string; readonly given: readonly string[] };
}

/** A Node of the cluster and the way to its machine. */
export interface FoundNode extends VisitedMachine {
  readonly isMaster: boolean;
  readonly isReady: boolean;
  readonly kubeletVersion: string;
  /** It bears the mark of its configuration. */
  readonly hasMark: boolean;
}
