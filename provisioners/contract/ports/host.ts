import type { Instant } from '../time.ts';
import type { MachineRef } from '../machine.ts';
import type { DiskLatency, HostFacts, Reach } from '../preflight.ts';
import type { ComponentState, ControlPlaneComponent } from '../control-plane.ts';

/** One unit of work on a machine: a transient systemd unit that outlives line, agent and daemon. */
export type UnitRun =
  | { readonly state: 'absent' }
  /** `attempt` may be an older one than ours: whoever comes back attaches, nobody starts a second. */
  | { readonly state: 'running'; readonly since: Instant; readonly lastLine: string }
  | { readonly state: 'ended'; readonly exitCode: number; readonly lastLines: readonly string[] };

/**
 * Where `generateHostKey` keeps the machine's own SSH host key; the public half is beside it with `.pub`. Part of the
 * contract, so that a step can observe the key without making it.
 */
export const ownHostKeyPath = '/etc/ssh/remuda_host_ed25519_key';

/** Looking at a machine as such. */
export interface HostPort {
  /** Opens (or reuses) the connection; throws Transient when nobody answers, Blocked when the host key is another. */
  reach(machine: MachineRef): Promise<void>;
  /** Everything the checks need, in one visit. */
  facts(machine: MachineRef): Promise<HostFacts>;
  /** Tries addresses from the machine: ICMP with growing packets. */
  probe(machine: MachineRef, addresses: readonly string[]): Promise<Reach[]>;
  /** Measures write+fdatasync on `path`'s file system with a small bounded load (etcd's recommendation). */
  measureDisk(machine: MachineRef, path: string): Promise<DiskLatency>;
  /**
   * Makes the machine's own SSH host key once ({@link ownHostKeyPath}), beside the provisional one, and returns its
   * public half (type and key, no comment); sshd is not changed. A repeat returns the same key.
   */
  generateHostKey(machine: MachineRef): Promise<string>;
  /** Makes sshd show the generated key only; proven by a new connection. May be repeated. */
  replaceHostKey(machine: MachineRef, publicKey: string): Promise<void>;
  /**
   * The host key that is shown at an address, type and key; nobody vouches for it. One of `types` where the machine has
   * such a key. Absent in earlier models.
   */
  readonly hostKeyAt?: (address: string, port: number, types?: readonly string[]) => Promise<string>;
  /** Whether the cluster's own SSH key may log in, by a new connection. */
  readonly admits?: (machine: MachineRef, publicKey: string) => Promise<boolean>;
  /**
   * Lets a public key log in as the reference's user, by way of another private key that may already; the machine
   * forgets the epoch of whoever kept it before. `locksOut`: also takes away other keys of Remuda's for this cluster.
   * May be repeated.
   */
  readonly admit?: (
    machine: MachineRef,
    grant: { readonly privateKey: string; readonly publicKey: string; readonly locksOut: boolean },
  ) => Promise<void>;
  /** Sets hostname, kernel modules and sysctls; returns what it changed. May be repeated. */
  configure(machine: MachineRef, settings: HostSettings): Promise<readonly string[]>;
  /** What of the settings is not so; empty = all there. */
  inspect(machine: MachineRef, settings: HostSettings): Promise<readonly string[]>;
  /** Ends of the certificates that kubeadm and the kubelet keep on the machine; one visit, and no private key is read. */
  certificates(
    machine: MachineRef,
    /** PEM of authorities: of each certificate that one of them has signed it is said which. */
    authorities?: readonly string[],
  ): Promise<readonly MachineCertificate[]>;
  /** What the processes of a master's static pods are and serve, in the order asked. */
  components(
    machine: MachineRef,
    asked: readonly ControlPlaneComponent[],
  ): Promise<readonly ComponentState[]>;
  /** Ends a static pod's process; the kubelet starts it anew at once. Ends when the old one is gone; none is success. */
  restartComponent(machine: MachineRef, component: ControlPlaneComponent): Promise<void>;
}

/** One certificate on a machine, named as kubeadm names it: `apiserver`, `etcd/server`, `admin.conf`, `kubelet/client`. */
export interface MachineCertificate {
  readonly name: string;
  readonly notAfter: Instant;
  /** SHA-256 of the certificate (DER), hexadecimal. */
  readonly fingerprint: string;
  /** Common name of who signed it, where it says one. */
  readonly issuer?: string;
  /** The asked authority, as it was given, whose key has signed it, proven; absent where none has. */
  readonly signer?: string;
}

/** The settings of a machine below Kubernetes. */
export interface HostSettings {
  readonly hostname: string;
  readonly modules: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Lines for /etc/hosts, kept in a block of our own: address → names. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
}
