import type { Duration, Instant } from './time.ts';
import type { MachineRef } from './machine.ts';
import type { DiskLatency, HostFacts, Reach } from './preflight.ts';
import type { BackupManifest, BackupPlace, BackupRequest } from './backup.ts';
import type { EtcdDataPort } from './etcd-data.ts';
import type { HookPort } from './hooks.ts';
import type { EtcdMember } from './observed.ts';
import type { ComponentState, ControlPlaneComponent } from './control-plane.ts';
import type { ClusterKeys } from './secrets.ts';
import type { Provider } from './provider.ts';

/**
 * The narrow ports through which a step does all its I/O. The agent implements them over SSH, TLS and systemd; the
 * simulated fleet implements them over a model. One contract suite per port runs on both. Every call may throw
 * `Transient` (the line is down: nothing is known) and never leaves half an effect that a repeat would not mend.
 */
export interface Ports {
  readonly host: HostPort;
  readonly file: FilePort;
  readonly service: ServicePort;
  readonly payload: PayloadPort;
  readonly kubeadm: KubeadmPort;
  readonly etcd: EtcdPort;
  readonly etcdData: EtcdDataPort;
  readonly kubernetes: KubernetesPort;
  readonly provider: Provider;
  readonly secrets: SecretsPort;
  readonly backup: BackupPort;
  readonly hooks: HookPort;
}

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
  /** The host key that is shown at an address, type and key; nobody vouches for it. Absent in earlier models. */
  readonly hostKeyAt?: (address: string, port: number) => Promise<string>;
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
  certificates(machine: MachineRef): Promise<readonly MachineCertificate[]>;
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
}

/** The settings of a machine below Kubernetes. */
export interface HostSettings {
  readonly hostname: string;
  readonly modules: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Lines for /etc/hosts, kept in a block of our own: address → names. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
}

/** A file as it should be. */
export interface FileContent {
  readonly path: string;
  readonly content: string;
  /** Octal, for example 0o600. */
  readonly mode: number;
}

/** Files on a machine, owned by root. Content of secret files never reaches a log. */
export interface FilePort {
  /** Paths whose content or mode is other than given, with the reason; one visit. */
  differ(
    machine: MachineRef,
    files: readonly FileContent[],
  ): Promise<readonly { readonly path: string; readonly why: string }[]>;
  /** Writes all atomically one by one: temporary file, fsync, rename. Parent folders are made 0755. */
  write(machine: MachineRef, files: readonly FileContent[]): Promise<void>;
  /** Content, or undefined when there is no such file. */
  read(machine: MachineRef, path: string): Promise<string | undefined>;
  /** Which of the paths exist. */
  exist(machine: MachineRef, paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes files or folders; missing counts as done. Refuses paths outside the folders Kubernetes and Remuda own. */
  remove(machine: MachineRef, paths: readonly string[]): Promise<void>;
}

/** State of a systemd unit. */
export interface ServiceState {
  readonly unit: string;
  readonly active: boolean;
  readonly enabled: boolean;
  /** systemd's own words: `active (running)`, `failed (exit-code)`, `not-found`. */
  readonly detail: string;
  readonly since?: Instant;
}

/** systemd services on a machine. */
export interface ServicePort {
  state(machine: MachineRef, units: readonly string[]): Promise<ServiceState[]>;
  /** Enables and starts; already so is success. */
  start(machine: MachineRef, unit: string): Promise<void>;
  restart(machine: MachineRef, unit: string): Promise<void>;
  /** Lets a running unit read its files anew, without a break where it can. */
  reload(machine: MachineRef, unit: string): Promise<void>;
  /** Stops and disables; already so is success. */
  stop(machine: MachineRef, unit: string): Promise<void>;
  /** Last lines of the unit's journal. */
  journal(machine: MachineRef, unit: string, lines: number): Promise<readonly string[]>;
}

/** Which share of a payload a machine needs. */
export type PayloadRole = 'control-plane' | 'worker';

/**
 * How much of it: `whole`, in the places where it runs; or only what an upgrade in place needs before that, `beside` what
 * runs: the images, and kubeadm ({@link kubeadmBeside}).
 */
export type PayloadShare = 'whole' | 'beside';

/** Where the kubeadm of a version lies while the machine still runs another one. */
export const kubeadmBeside = (kubernetesVersion: string): string =>
  `/opt/remuda/kubeadm/${kubernetesVersion.replace(/^v/, '')}/kubeadm`;

/** What a payload says of itself. */
export interface PayloadSummary {
  readonly name: string;
  readonly kubernetesVersion: string;
  readonly flavour: 'lab' | 'upstream';
  /** References of the images in it, with registry and tag. */
  readonly images: readonly string[];
  /** sha256 of the manifest. */
  readonly digest: string;
}

/** The offline bundle, from the agent's cache to a machine. */
export interface PayloadPort {
  /** The verified payload for a version; throws Blocked (with the command that brings it) when there is none. */
  summary(kubernetesVersion: string): Promise<PayloadSummary>;
  /** Whether files and images of the role are on the machine, each by digest. */
  observe(
    machine: MachineRef,
    kubernetesVersion: string,
    role: PayloadRole,
    share?: PayloadShare,
  ): Promise<
    | { readonly state: 'present' }
    | { readonly state: 'absent'; readonly missing: readonly string[] }
    | { readonly state: 'installing'; readonly since: Instant; readonly lastLine: string }
  >;
  /** Downloads, verifies, installs files and imports images, in a unit of its own; attaches to a running one. */
  install(
    machine: MachineRef,
    kubernetesVersion: string,
    role: PayloadRole,
    share?: PayloadShare,
  ): Promise<void>;
  /** A manifest or other text file of the payload, for add-ons. */
  text(kubernetesVersion: string, path: string): Promise<string>;
}

/** A kubeadm command as Remuda uses it; the config file is already on the machine. */
export type KubeadmCommand =
  | {
      readonly verb: 'init';
      readonly config: string;
      readonly skipPhases: readonly string[];
      readonly ignorePreflightErrors: readonly string[];
    }
  | {
      readonly verb: 'join';
      readonly config: string;
      readonly skipPhases: readonly string[];
      readonly ignorePreflightErrors: readonly string[];
    }
  /** `kubeadm certs renew all`: every certificate but the authorities', unconditionally. */
  | { readonly verb: 'renew'; readonly config: string }
  /** `kubeadm upgrade node` by the kubeadm of that version which lies beside the one that is installed. */
  | {
      readonly verb: 'upgrade';
      readonly kubernetesVersion: string;
      readonly ignorePreflightErrors: readonly string[];
    }
  /** Single phases of `kubeadm init`, one after the other: `certs etcd-server`, `etcd local`. */
  | { readonly verb: 'phases'; readonly config: string; readonly phases: readonly string[] }
  /** Everything kubeadm laid out, but etcd's member and its data. */
  | { readonly verb: 'reset' };

/** kubeadm on a machine, as a transient unit. */
export interface KubeadmPort {
  /** Whether such a command is under way or has ended on the machine (this operation's step, any attempt). */
  observe(machine: MachineRef, verb: KubeadmCommand['verb']): Promise<UnitRun>;
  /**
   * Starts the command, or attaches to the one that runs, and waits for its end; lines go to the step's log. Throws
   * Transient with last lines when it ends with another exit code than 0. `onSilence` is called every few seconds
   * while it runs, so that a step can cure what it knows (kubernetes#99305).
   */
  run(machine: MachineRef, command: KubeadmCommand, whileRunning?: () => Promise<void>): Promise<void>;
}

/** Masters through which a cluster's etcd and API server can be reached, in the order to try. */
export interface ControlPlaneAccess {
  readonly masters: readonly MachineRef[];
  /** Port of each master's own API server. */
  readonly apiPort: number;
  /** Machines of etcd where it stands apart from the masters, in the order to try; absent where each master has a member. */
  readonly etcd?: readonly MachineRef[];
}

/** etcd, through its members' own client port with a certificate from the cluster's etcd CA. */
export interface EtcdPort {
  /** All members with health and leader; asks the first that answers, then each its own health. Transient when none answers. */
  members(access: ControlPlaneAccess): Promise<EtcdMember[]>;
  /** Removes a member by id; an unknown id is success. The adapter refuses when the rest would lose quorum (looked at just before). */
  removeMember(access: ControlPlaneAccess, id: string): Promise<void>;
  /**
   * Adds a member without a vote, that has yet to start; one of this peer URL that is there already is success. The
   * adapter refuses when those that are there are no majority (looked at just before). etcd from 3.4 on.
   */
  addLearner(access: ControlPlaneAccess, peerURL: string): Promise<void>;
  /** Gives a learner its vote; one that has it is success. Transient while it has not caught up with the leader. */
  promote(access: ControlPlaneAccess, id: string): Promise<void>;
  /** Moves leadership to another started voter. Already so is success. */
  moveLeader(access: ControlPlaneAccess, to: string): Promise<void>;
  /**
   * Begins a snapshot of all keys at one healthy voter that has caught up: every write that was acknowledged before
   * the call is in it. Transient when none can be had.
   */
  snapshot(access: ControlPlaneAccess): Promise<EtcdSnapshot>;
}

/** A snapshot that is being read. */
export interface EtcdSnapshot {
  readonly member: string;
  readonly etcdVersion: string;
  /** Every write up to this revision is in it; later ones may be. */
  readonly revision: number;
  /** Size, etcd's own SHA-256 at its end included. */
  readonly bytes: number;
  /**
   * The content; to be read once, to its end. It throws Transient when it is cut short or does not bear its own
   * SHA-256: what was read before is worth nothing then.
   */
  readonly data: AsyncIterable<Uint8Array>;
}

/** Backups of a cluster, encrypted, outside of it. Files of other clusters are never touched. */
export interface BackupPort {
  /** Finished backups, newest first. Blocked or Transient when the destination cannot be used just now. */
  list(at: BackupPlace): Promise<readonly BackupManifest[]>;
  /** The finished backup that was made under this key. */
  find(at: BackupPlace, key: string): Promise<BackupManifest | undefined>;
  /**
   * Writes a snapshot and the cluster's sealed keys, reads back what was written, opens and compares it, and only then
   * counts it as a backup. Whatever goes wrong leaves nothing that looks like one. A finished one under the same key is
   * returned as it is.
   */
  take(
    at: BackupPlace,
    request: BackupRequest,
    snapshot: () => Promise<EtcdSnapshot>,
  ): Promise<BackupManifest>;
  /** Removes a backup; one that is gone is success. */
  remove(at: BackupPlace, id: string): Promise<void>;
  /**
   * Opens a backup and gives its snapshot, to be read once. It throws at its end when the encrypted file is not the one
   * with this SHA-256 (UserProblem: another is to be chosen), or the snapshot in it is not whole: what was read before is worth nothing then.
   */
  open(at: BackupPlace, id: string, fileSha256: string): Promise<OpenedBackup>;
}

/** A backup that is being read. */
export interface OpenedBackup {
  readonly manifest: BackupManifest;
  readonly data: AsyncIterable<Uint8Array>;
}

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

/** Secrets that came sealed with this dispatch, opened only here. */
export interface SecretsPort {
  clusterKeys(): Promise<ClusterKeys>;
  /** A secret the user gave, by its secretRef name and key; throws Blocked when it is not there. */
  value(secretRef: string, key: string): Promise<string>;
}

/** How a wait introduces itself: what, what was last seen, since when, how long it usually takes, what one could do. */
export interface Waiting {
  readonly what: string;
  readonly lastSeen: string;
  readonly since: Instant;
  readonly usually: Duration;
  readonly youCould?: string;
}
