import { z } from 'zod';
import type { EtcdMember, ObservedCertificate, ObservedNode } from './observed.ts';
import type { Instant } from './time.ts';

/**
 * What is known of a running cluster's health, by Kubernetes' own pattern (API conventions, "typical status
 * properties"): a condition that is good when it is `True`, and `Unknown` when it could not be seen.
 */
export const healthTypes = [
  'ApiServerHealthy',
  'EtcdHealthy',
  'NodesReady',
  'CertificatesValid',
  'VersionsAligned',
  'DiskSpace',
] as const;
export type HealthType = (typeof healthTypes)[number];

/** One condition as it was found. What stands in it changes only when something changed: it is compared as a whole. */
export const healthConditionSchema = z.strictObject({
  type: z.enum(healthTypes),
  status: z.enum(['True', 'False', 'Unknown']),
  /** Of `False`: `critical` when the cluster cannot do its work now, `warning` when it still can. */
  severity: z.enum(['warning', 'critical']).optional(),
  /** One word in CamelCase. */
  reason: z.string().max(100),
  /** What was found, for a person: names and numbers. */
  message: z.string().max(4000),
  /** What a person can do about it. */
  remedy: z.string().max(1000).optional(),
  /** The machine it is about, where it is one. */
  machine: z.string().max(100).optional(),
});
export type HealthCondition = z.infer<typeof healthConditionSchema>;

/** Numbers beside the conditions, for metrics; absent where they could not be seen. */
export const healthNumbersSchema = z.strictObject({
  nodesReady: z.int().nonnegative().optional(),
  nodesTotal: z.int().nonnegative().optional(),
  etcdMembers: z.int().nonnegative().optional(),
  etcdHealthy: z.int().nonnegative().optional(),
  /** End of the certificate that ends first. */
  nearestCertificateEnd: z.iso.datetime().optional(),
});
export type HealthNumbers = z.infer<typeof healthNumbersSchema>;

/** Either what was seen, or the sentence why it could not be. */
export type Sight<Value> = { readonly seen: Value } | { readonly unseen: string };

/** What an agent found out about a cluster in one look. */
export interface HealthLook {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly at: Instant;
  /** Names of the masters that were asked. */
  readonly masters: readonly string[];
  /** Names of machines of etcd, where it stands apart from the masters; absent where each master has a member. */
  readonly etcd?: readonly string[];
  /** Master → version its own API server reports; undefined when it does not answer or is not ready. */
  readonly apiServers: Readonly<Record<string, string | undefined>>;
  /** Whether the cluster's endpoint answers; absent where none is known. */
  readonly endpoint?: { readonly address: string; readonly isAnswering: boolean };
  readonly nodes: Sight<readonly ObservedNode[]>;
  readonly members: Sight<readonly EtcdMember[]>;
  readonly certificates: Sight<readonly ObservedCertificate[]>;
  /** Master or machine of etcd → path → free bytes. */
  readonly disks: Sight<Readonly<Record<string, Readonly<Record<string, number>>>>>;
  /** Machines that are to be Nodes of the cluster. */
  readonly expected: readonly string[];
  /** An operation works on it: machines may be on their way, and of more than one version. */
  readonly isChanging: boolean;
  /** `v1.20.2`: what the answer file asks for. */
  readonly kubernetesVersion: string;
}
