import type { Duration, Instant } from '../time.ts';
import type { MachineRef } from '../machine.ts';
import type { ControlPlaneAccess } from './etcd.ts';

/** Coordinates of one Kubernetes object. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Any Kubernetes object. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** One pod, once: a later one of the same name has another uid. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What came of asking a pod to go by the eviction API. */
export type Eviction =
  /** It will go, or is gone already; a pod of the name with another uid is another pod. */
  | { readonly state: 'evicted' }
  /**
   * Not for now, in the API's own words: a PodDisruptionBudget forbids it, several select the pod at once, or its
   * namespace is being deleted and takes it along.
   */
  | { readonly state: 'refused'; readonly why: string };

/** A Node as it was read: whoever changes it says what the change is made from. */
export interface NodeVersion {
  readonly name: string;
  readonly resourceVersion: string;
}

/** The answer to a CertificateSigningRequest: the condition it gets. */
export interface RequestDecision {
  readonly type: 'Approved' | 'Denied';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** The Kubernetes API with an administrator's certificate made for the moment. */
export interface KubernetesPort {
  /** Version a given master's own API server reports, only when its /readyz passes; undefined when it does not answer. */
  version(access: ControlPlaneAccess, master: MachineRef): Promise<string | undefined>;
  /** Like {@link version}, but through the cluster's endpoint (VIP, DNS name, balancer) from outside the machines. */
  versionAtEndpoint(
    access: ControlPlaneAccess,
    endpoint: { readonly host: string; readonly port: number },
  ): Promise<string | undefined>;
  get(access: ControlPlaneAccess, reference: ObjectReference): Promise<KubernetesObject | undefined>;
  list(
    access: ControlPlaneAccess,
    of: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly labelSelector?: string;
      /** Equalities of fields the server can select by (`spec.nodeName=w-1` of Pods). */
      readonly fieldSelector?: string;
    },
  ): Promise<KubernetesObject[]>;
  /** Server-side apply with field manager `remuda`, forced, in the order given. */
  apply(access: ControlPlaneAccess, objects: readonly KubernetesObject[]): Promise<void>;
  /**
   * Marks the pods' template of a Deployment, DaemonSet or StatefulSet, so that its pods are exchanged by its own rules;
   * nothing else of it changes hands. The same mark again changes nothing; gone is success.
   */
  markTemplate(
    access: ControlPlaneAccess,
    workload: ObjectReference,
    annotation: { readonly key: string; readonly value: string },
  ): Promise<void>;
  /** Foreground deletion; missing counts as done. */
  remove(access: ControlPlaneAccess, reference: ObjectReference): Promise<void>;
  /**
   * Asks a pod to go by the eviction API, which heeds PodDisruptionBudgets (policy/v1beta1 before Kubernetes 1.22).
   * Accepted is not gone: the kubelet ends it within its grace period, or within `gracePeriod` when given.
   */
  evict(access: ControlPlaneAccess, pod: PodReference, gracePeriod?: Duration): Promise<Eviction>;
  /**
   * Deletes a pod past every budget. A `gracePeriod` of 0 takes it out of the API at once, without the word of its
   * kubelet: only for a pod whose machine surely runs no more. Gone, or another of the name, counts as done.
   */
  deletePod(access: ControlPlaneAccess, pod: PodReference, gracePeriod?: Duration): Promise<void>;
  /** All PodDisruptionBudgets, in the version of their group that the server prefers for evictions. */
  disruptionBudgets(access: ControlPlaneAccess): Promise<KubernetesObject[]>;
  /**
   * Sets whether a Node takes new pods, and annotations (null removes one), in one update that counts only if nobody
   * changed the Node meanwhile. `outdated`: somebody did, or the Node is gone; nothing was changed: look again.
   */
  setUnschedulable(
    access: ControlPlaneAccess,
    node: NodeVersion,
    isUnschedulable: boolean,
    annotations: Readonly<Record<string, string | null>>,
  ): Promise<'set' | 'outdated'>;
  /** Output of a pod's container, for proofs; last lines. */
  podLog(
    access: ControlPlaneAccess,
    namespace: string,
    pod: string,
    lines: number,
  ): Promise<readonly string[]>;
  /**
   * A token of a service account for so many seconds; the server may give fewer. Absent where nobody issues any (models).
   */
  readonly requestToken?: (
    access: ControlPlaneAccess,
    account: { readonly namespace: string; readonly name: string },
    seconds: number,
  ) => Promise<{ readonly token: string; readonly expiresAt: Instant }>;
  /** Decides on a CertificateSigningRequest; one that is decided already stays so. Gone is success: it runs out by itself. */
  decide(access: ControlPlaneAccess, request: string, decision: RequestDecision): Promise<void>;
  /** GET on a Service through the API server's proxy; body text, or undefined when it did not answer 2xx. */
  throughService(
    access: ControlPlaneAccess,
    service: { readonly namespace: string; readonly name: string; readonly port: number },
    path: string,
  ): Promise<string | undefined>;
}
