import type { Instant } from './time.ts';
import type { ClusterIdentity, MachineRef } from './machine.ts';
import type { ProviderMachine } from './provider.ts';

/** A Kubernetes Node, as the API reports it. */
export interface ObservedNode {
  readonly name: string;
  readonly ready: boolean;
  /** Reason and message of the Ready condition when it is not true. */
  readonly notReadyBecause?: string;
  readonly unschedulable: boolean;
  /** Operation that cordoned it, from our annotation; absent where the cordon is somebody else's, or there is none. */
  readonly cordonedBy?: string;
  readonly kubeletVersion: string;
  readonly controlPlane: boolean;
  readonly internalAddress?: string;
  /** Value of the annotation `remuda.dev/config`: digest of the inputs the machine was configured from. */
  readonly configDigest?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/**
 * A machine that is to leave the cluster, or has left it and is still there. Durable with the daemon from the moment
 * its operation is admitted: who leaves is decided once, whatever is seen later.
 */
export interface Retirement {
  /**
   * What becomes of the machine: `destroy` with its disks; `keep` it, taken out of the cluster, for inspection; or the
   * same and switch it `off`.
   */
  readonly mode: 'destroy' | 'keep' | 'off';
  /**
   * `surplus`: fewer were asked for; `removed`, `replaced`: it was named, and in the latter case another one comes in
   * its place. So it does where a machine was `changed`: it was made from something else than is asked for now; or
   * `upgraded`, where that is another version: then it may be there for the way back until the upgrade is finalized.
   */
  readonly reason: 'surplus' | 'removed' | 'replaced' | 'changed' | 'upgraded';
}

/** As {@link Retirement}, with what has become of it so far. */
export interface ObservedRetirement extends Retirement {
  readonly since: Instant;
  /**
   * Set when a machine that is kept is proven to take no part any more: nothing of Kubernetes runs or starts on it; or a
   * person has said so ({@link statedBy}).
   */
  readonly isFenced: boolean;
  /**
   * Set from the moment its work begins to be taken from it for good: the cluster's address, its API server. Whatever it
   * looks like, it is no whole machine any more, and cannot stay.
   */
  readonly isStripped?: true;
  /**
   * Neither destroyed, nor switched off, nor sealed off, though that was tried: it may run still. Until that ends nobody
   * comes in its place.
   */
  readonly unfenced?: { readonly since: Instant; readonly why: string };
  /** Principal who said that it is switched off and stays so. */
  readonly statedBy?: string;
}

/** An etcd member. An unstarted one has no name yet; a learner has no vote (etcd ≥ 3.4). */
export interface EtcdMember {
  /** Hexadecimal member id. */
  readonly id: string;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly started: boolean;
  readonly learner: boolean;
  /** Answered its own health endpoint when looked at. */
  readonly healthy: boolean;
  readonly leader: boolean;
  /** Newest revision that it speaks of; absent where it was not told. */
  readonly revision?: number;
  /** Size of its database, bytes; absent where it was not told. */
  readonly dbSize?: number;
  /** The database may grow so far, bytes; told by etcd 3.6 and later. */
  readonly dbQuota?: number;
}

/** End of one certificate of a master. Workers have but the kubelet's own, which it renews by itself. */
export interface ObservedCertificate {
  readonly machine: string;
  readonly name: string;
  readonly notAfter: Instant;
  /** Common name of who signed it; absent in what was seen by an earlier release. */
  readonly issuer?: string;
}

/** What becomes of something that is not as asked: the next apply mends it, a machine is replaced, or a person looks. */
export interface DriftRemedy {
  readonly by: 'apply' | 'replace' | 'person';
  /** A sentence for a person. */
  readonly what: string;
}

/** Something that the deep look did not find as the document asks. */
export interface DriftItem {
  /** Id of the step that would bring it about: `machine.configure/w-1`. */
  readonly step: string;
  readonly kind: string;
  /** Machine name, or `cluster`. */
  readonly subject: string;
  readonly title: string;
  /** `unsettled`: under way by itself just now; `unknown`: it could not be looked at. */
  readonly state: 'different' | 'unsettled' | 'unknown';
  /** One sentence each. */
  readonly differences: readonly string[];
  /** When it was seen so first. */
  readonly since: Instant;
  readonly remedy: DriftRemedy;
}

/** What the last deep look found. */
export interface ObservedDrift {
  readonly at: Instant;
  /** Steps that were looked at. */
  readonly checked: number;
  readonly items: readonly DriftItem[];
}

/**
 * What is, as far as the agent could see, in a constant number of list calls per cluster. Planning reads only this.
 * A part that could not be seen is absent, and `unseen` says why: absent is never "zero".
 */
export interface Observed {
  readonly cluster: ClusterIdentity;
  readonly at: Instant;
  readonly infrastructure: {
    readonly state: 'absent' | 'present' | 'partial' | 'unknown';
    readonly detail: string;
  };
  /** Absent when the provider could not be asked. */
  readonly machines?: readonly ProviderMachine[];
  /** Pinned SSH references of machines already met, from the daemon's records. */
  readonly references: Readonly<Record<string, MachineRef>>;
  /** Highest incarnation ever used for a machine name, from the daemon's records. */
  readonly incarnations: Readonly<Record<string, number>>;
  /** Addresses that machines were asked for with last, by name, from the daemon's records. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Machines that leave or have left, by name, from the daemon's records. */
  readonly retired: Readonly<Record<string, ObservedRetirement>>;
  /** Absent when no API server answered. */
  readonly nodes?: readonly ObservedNode[];
  /** Version the API server reports, `v1.20.2`; absent when none answered. */
  readonly apiVersion?: string;
  /** Absent when etcd did not answer. */
  readonly voters?: readonly EtcdMember[];
  /** Of the masters that could be visited; absent when none could. */
  readonly certificates?: readonly ObservedCertificate[];
  /** Content of the ConfigMap kube-system/remuda: add-on name → digest of its installed manifests, and our own marks. */
  readonly marks?: Readonly<Record<string, string>>;
  /** What the last deep look found, from the daemon's records, until something is done to the cluster. */
  readonly drift?: ObservedDrift;
  /** Why something above is absent, one sentence each, in the user's terms. */
  readonly unseen: readonly string[];
}
