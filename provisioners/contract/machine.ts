import { z } from 'zod';

/** What a machine is for in a cluster. `etcd` is for clusters with etcd apart (milestone C). */
export const machineRoleSchema = z.enum(['control-plane', 'worker', 'etcd']);
export type MachineRole = z.infer<typeof machineRoleSchema>;

/** How to reach one machine: everything an adapter needs but the private key, which is a cluster secret. */
export const machineRefSchema = z.strictObject({
  /** Name in the cluster, also the Kubernetes Node name: a DNS label (RFC 1123). */
  name: z.string(),
  /** IP address or DNS name the agent connects to. */
  address: z.string(),
  port: z.int().default(22),
  user: z.string().default('root'),
  /**
   * Accepted SSH host keys in OpenSSH public key form (`ssh-ed25519 AAAA…`), the pinned one last. A machine that
   * shows another key is refused.
   */
  hostKeys: z.array(z.string()),
});
export type MachineRef = z.infer<typeof machineRefSchema>;

/** One disk beside the root disk. */
export const diskSchema = z.strictObject({
  /** Bytes. */
  size: z.int().positive(),
  type: z.string().optional(),
});

/** What a machine is made of. Sizes in bytes. */
export const machineShapeSchema = z.strictObject({
  cpus: z.int().positive(),
  memory: z.int().positive(),
  disks: z.array(diskSchema).default([]),
});
export type MachineShape = z.infer<typeof machineShapeSchema>;

/** Who a cluster is: the name people use and the uid that tags everything made for it. */
export const clusterIdentitySchema = z.strictObject({ uid: z.string(), name: z.string() });
export type ClusterIdentity = z.infer<typeof clusterIdentitySchema>;
