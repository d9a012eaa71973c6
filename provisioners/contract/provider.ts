import { z } from 'zod';
import type { Finding } from './preflight.ts';
import {
  clusterIdentitySchema,
  machineRoleSchema,
  machineShapeSchema,
  type ClusterIdentity,
} from './machine.ts';
import type { JsonObject } from './json.ts';

/** The kinds of infrastructure there are rooms for. */
export type ProviderType = 'lab' | 'hosts' | 'vsphere' | 'ec2' | 'metal';

/** The Provider document as the agent gets it: type, name, and the provider's own section, checked by the provider. */
export interface ProviderConfig {
  readonly name: string;
  readonly type: ProviderType;
  readonly config: JsonObject;
}

/**
 * A wish for one machine. `token` = hash(cluster uid, machine name, incarnation): journalled before the call, it makes
 * a repeated create find the first one's machine again. The incarnation rises only when the last one is proven absent.
 */
export const createMachineSchema = z.strictObject({
  cluster: clusterIdentitySchema,
  name: z.string(),
  role: machineRoleSchema,
  incarnation: z.int().positive(),
  token: z.string(),
  shape: machineShapeSchema,
  /** Static IPv4 address with prefix length from the node network; absent = the provider assigns one. */
  address: z.string().optional(),
  /** OpenSSH public key that may log in as the machine's administrator. */
  authorizedKey: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
});
export type CreateMachine = z.infer<typeof createMachineSchema>;

/** A machine as its provider sees it. */
export interface ProviderMachine {
  readonly name: string;
  readonly token: string;
  readonly incarnation: number;
  readonly cluster: ClusterIdentity;
  readonly role: 'control-plane' | 'worker' | 'etcd';
  /** The provider's own identifier (VM id, instance id, host folder). */
  readonly id: string;
  readonly state: 'creating' | 'running' | 'off' | 'broken' | 'deleting';
  /** What the state means, for a person, when it is not `running`. */
  readonly detail?: string;
  readonly address?: string;
  /** Host key handed over at creation (provisional), OpenSSH form. */
  readonly provisionalHostKey?: string;
}

/** Machines of a provider. Every call is safe to repeat; none touches a machine that does not carry our tags. */
export interface MachineProvider {
  /** All machines that carry the cluster's tag; one list call whatever the size. */
  list(cluster: ClusterIdentity): Promise<ProviderMachine[]>;
  /** Makes the machine or finds it again by token. Refuses (UserProblem) when the name is taken by another token. */
  create(request: CreateMachine, signal: AbortSignal): Promise<ProviderMachine>;
  /** Switches power; already in that state is success. `off` is hard: the plug, not a shutdown. */
  power(cluster: ClusterIdentity, name: string, state: 'on' | 'off'): Promise<void>;
  /** Removes the machine with its disks; missing counts as done. Returns only when it is proven gone. */
  destroy(cluster: ClusterIdentity, name: string, signal: AbortSignal): Promise<void>;
}

/** One thing that exists at the provider with our tag. */
export interface LedgerEntry {
  /** machine | network | disk | process | mount | … in the provider's own words. */
  readonly type: string;
  readonly id: string;
  readonly name: string;
  readonly cluster?: string;
  /** Set on what stays on purpose: the policy that keeps it (`deletion.volumes: retain`). */
  readonly policy?: string;
}

/** The proof of a teardown: three lists. Only `left` is a failure. */
export interface TeardownProof {
  readonly gone: readonly LedgerEntry[];
  readonly kept: readonly (LedgerEntry & { readonly policy: string })[];
  readonly left: readonly (LedgerEntry & { readonly why: string })[];
}

/** What a teardown may take of what controllers in the cluster have made at the provider. */
export interface TeardownPolicy {
  /** `deletion.volumes`: with `retain` no volume of a claim is removed. */
  readonly volumes: 'retain' | 'delete';
  /** Handles of volumes that stay whatever `volumes` says: their own reclaim policy is Retain. */
  readonly keep: readonly string[];
}

/** Things that controllers in a cluster make at its provider, outside of every machine. */
export type MadeByControllers = 'balancers' | 'volumes';

/** What the whole cluster asks of its provider at its peak; checked before anything is made (row H5). */
export interface CapacityRequest {
  readonly cluster: ClusterIdentity;
  readonly machines: readonly {
    readonly name: string;
    readonly cpus: number;
    readonly memory: number;
    readonly address?: string;
  }[];
  readonly nodeNetwork?: NodeNetwork;
}

/** The network the machines stand in. */
export const nodeNetworkSchema = z.strictObject({
  /** IPv4 ranges for machines, `first-last` or CIDR. */
  ranges: z.array(z.string()),
  prefix: z.int().min(8).max(30),
  gateway: z.string().optional(),
  dns: z.array(z.string()).default([]),
  ntp: z.array(z.string()).default([]),
});
export type NodeNetwork = z.infer<typeof nodeNetworkSchema>;

/** What a cluster needs before its machines: the lab's bridge, a VPC, a folder. */
export interface InfrastructureProvider {
  /**
   * `absent`, `present` as asked, or `partial` (half-made, or other than asked). Only reads. `endpointHost` is the
   * address the provider keeps free for the API server, told by providers that choose the network themselves (lab).
   */
  observe(
    cluster: ClusterIdentity,
    network: NodeNetwork | undefined,
  ): Promise<{ state: 'absent' | 'present' | 'partial'; detail: string; endpointHost?: string }>;
  /** Converges; may be repeated. */
  prepare(cluster: ClusterIdentity, network: NodeNetwork | undefined, signal: AbortSignal): Promise<void>;
  /** Removes what prepare made; missing counts as done. */
  remove(cluster: ClusterIdentity, signal: AbortSignal): Promise<void>;
}

/** A machine at a provider, whichever cluster it is tagged for. */
export interface FoundMachine extends ProviderMachine {
  /** Its cluster was given away ({@link OwnershipProvider.release}) and not taken back. */
  readonly isReleased: boolean;
}

/** A cluster of which something at the provider bears the tags. */
export interface TaggedCluster {
  readonly cluster: ClusterIdentity;
  /** It was given away ({@link OwnershipProvider.release}) and not taken back. */
  readonly isReleased: boolean;
  readonly things: readonly LedgerEntry[];
}

/**
 * Giving clusters away and taking them in. What is given away keeps its tags, so that it can be found, and is neither
 * changed nor swept by any other call: the ledger shows it with the policy that keeps it.
 */
export interface OwnershipProvider {
  /** Whether the cluster's things were given away; `absent` when there are none. Only reads. */
  observe(cluster: ClusterIdentity): Promise<'ours' | 'released' | 'absent'>;
  /** Gives the cluster's things away: they run on. May be repeated. */
  release(cluster: ClusterIdentity): Promise<void>;
  /** Takes them back. May be repeated. */
  claim(cluster: ClusterIdentity): Promise<void>;
  /** Machines that have one of the addresses, of whatever cluster. Only reads. */
  find(addresses: readonly string[]): Promise<readonly FoundMachine[]>;
  /**
   * Whatever bears the tags of this site's appliance, by cluster, remembered or not. Things of another appliance that
   * works with the same provider are none of these. Only reads. Absent in earlier models.
   */
  readonly clusters?: () => Promise<readonly TaggedCluster[]>;
}

/** One kind of infrastructure. Constructed by the agent with its config and secrets. */
export interface Provider {
  readonly type: ProviderType;
  /** Findings about capacity, permissions and the objects named in the config; changes nothing. */
  preflight(request: CapacityRequest): Promise<Finding[]>;
  readonly infrastructure: InfrastructureProvider;
  readonly machines: MachineProvider;
  /** Absent where nothing is tagged: then there is nothing to give away. */
  readonly ownership?: OwnershipProvider;
  /**
   * Of what controllers in the cluster make, the kinds of which the ledger finds every one (they bear our tags, or
   * nothing could make any). What is not covered can be proven gone by the cluster's own API alone.
   */
  readonly covers: readonly MadeByControllers[];
  /** Everything that exists with the cluster's tag, whatever made it; what the policy keeps bears it. */
  ledger(cluster: ClusterIdentity, policy?: TeardownPolicy): Promise<LedgerEntry[]>;
  /** Removes what the ledger finds and no policy keeps; the proof says what is gone, kept and left. Safe to repeat. */
  sweep(cluster: ClusterIdentity, signal: AbortSignal, policy?: TeardownPolicy): Promise<TeardownProof>;
}
