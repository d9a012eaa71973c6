import { z } from 'zod';
import { machineRefSchema } from '../contract/machine.ts';

/** Where the API of the cluster is reached: a virtual address, or a name somebody else's balancer answers to. */
export const endpointSchema = z.strictObject({ host: z.string(), port: z.int().positive() });

/** More flags of the components, without the leading hyphens: the answer file's escape hatch, unsupported. */
const extraArgumentsSchema = z.strictObject({
  apiServer: z.record(z.string(), z.string()),
  controllerManager: z.record(z.string(), z.string()),
  scheduler: z.record(z.string(), z.string()),
  etcd: z.record(z.string(), z.string()),
  kubelet: z.record(z.string(), z.string()),
});

/** One patch of kubeadm's escape hatch (`kubeadm init --patches`), unsupported. */
const patchSchema = z.strictObject({
  target: z.string(),
  type: z.enum(['strategic', 'merge', 'json']),
  patch: z.string(),
});

/** What every master and worker of a cluster has in common. Nothing in it depends on which machines there are. */
export const clusterSettingsSchema = z.strictObject({
  name: z.string(),
  /** With the `v`: `v1.20.2`. */
  kubernetesVersion: z.string(),
  podCidr: z.string(),
  serviceCidr: z.string(),
  serviceDomain: z.string(),
  endpoint: endpointSchema,
  /** Port of each master's own API server: another than the endpoint's where haproxy holds that on the machine. */
  apiPort: z.int().positive(),
  certSANs: z.array(z.string()),
  extraArgs: extraArgumentsSchema,
  patches: z.array(patchSchema),
  /** Where etcd stands apart from the masters: the client URLs that API servers are given. */
  etcd: z.strictObject({ endpoints: z.array(z.string()) }).exactOptional(),
  /** Somebody else has signed the cluster's authorities: pods are given the whole chain. */
  hasAuthorityChain: z.literal(true).exactOptional(),
});
export type ClusterSettings = z.infer<typeof clusterSettingsSchema>;

/** Masters through which etcd and the API are reached: {@link import('../contract/ports/etcd.ts').ControlPlaneAccess}. */
export const accessSchema = z.strictObject({
  masters: z.array(machineRefSchema).min(1),
  apiPort: z.int().positive(),
  etcd: z.array(machineRefSchema).exactOptional(),
});

/** Facts of a step that leaves nothing to refer to. */
export type NoFacts = Record<string, never>;
