import type { ControlPlaneAccess } from './ports/etcd.ts';
import type { KubernetesObject } from './ports/kubernetes.ts';
import type { Ports } from './ports.ts';
import type { JsonObject } from './json.ts';

/** What an add-on is told about its cluster. */
export interface AddonInput {
  readonly kubernetesVersion: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly serviceDomain: string;
  /** The add-on's own section of the answer file. */
  readonly settings: JsonObject;
}

/** One add-on: manifests as a pure function of the cluster, and how to see that it is well. */
export interface Addon {
  /** `network/routed-bridge`, `dns/cluster-dns`. */
  readonly name: string;
  /** Its own versions, by the Kubernetes minors they serve (`1.20` …). */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  /** Images its manifests name; each must be in the payload before anything starts. */
  images(version: string): readonly string[];
  /** Pure: the objects to apply, in order. */
  manifests(version: string, input: AddonInput): readonly KubernetesObject[];
  /** Empty when well; else what is awaited, naming pods and reasons. */
  health(ports: Pick<Ports, 'kubernetes'>, access: ControlPlaneAccess): Promise<readonly string[]>;
  /** Label on everything it owns, `key=value`, so that removal finds objects of older versions too. */
  readonly selector: string;
  /** Kinds it has ever made, in the order to remove them. */
  readonly kinds: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
  }[];
}
