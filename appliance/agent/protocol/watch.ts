import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { HealthCondition, HealthNumbers } from '../../../provisioners/contract/health.ts';
import type { ClusterContext } from './dispatch.ts';

/**
 * Whose health an agent looks after, from now on and until it is told otherwise or ends. Held in memory alone: each
 * connection begins with the whole list. An agent of an earlier release does not know this and tells nothing.
 */
export interface WatchRequest {
  readonly epoch: number;
  /** Pause between two looks at one cluster, milliseconds. */
  readonly every: Duration;
  /** Uids of all that are watched: whoever is not among them is forgotten. */
  readonly all: readonly string[];
  /** Those that are new to the agent or have changed. */
  readonly set: readonly WatchedCluster[];
}

/** A cluster as far as looking after it needs it. Its keys stay sealed until a look opens them, in memory. */
export interface WatchedCluster {
  readonly context: ClusterContext;
  /** Machines that were met and do their work. */
  readonly references: Readonly<Record<string, MachineRef>>;
  /** Those of them that are to leave: nobody misses their Nodes. */
  readonly leaving?: readonly string[];
  readonly endpoint?: { readonly host: string; readonly port: number };
  readonly apiPort: number;
  readonly kubernetesVersion: string;
  /** An operation works on it: machines may be on their way, and of more than one version. */
  readonly isChanging: boolean;
}

/** A condition and since when the agent has seen it in this state. */
export type ReportedCondition = HealthCondition & { readonly since: Instant };

/** What has changed of a cluster's health since the agent was last heard of it; the whole of it the first time. */
export interface HealthReport {
  readonly epoch: number;
  /** Uid of the cluster. */
  readonly cluster: string;
  readonly at: Instant;
  readonly conditions: readonly ReportedCondition[];
  readonly numbers: HealthNumbers;
  /** Requests of kubelets for serving certificates that were denied; may be told more than once. */
  readonly denied?: readonly ServingDenial[];
}

/** A kubelet asked to serve under what is not its own. */
export interface ServingDenial {
  /** Name of the CertificateSigningRequest. */
  readonly request: string;
  readonly username: string;
  readonly why: string;
}
