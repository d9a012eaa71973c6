/** A strict check cannot be bypassed; a bypassable one can, explicitly, and the bypass is recorded. */
export type Severity = 'strict' | 'bypassable';

/** What one check found on one subject. */
export interface Finding {
  /** Id of the check in the catalogue, for example `HOST-CPU`. */
  readonly check: string;
  readonly severity: Severity;
  readonly outcome: 'passed' | 'failed' | 'bypassed';
  /** Machine, pair of machines, or the cluster. */
  readonly subject: string;
  /** What was seen, with the numbers. */
  readonly saw: string;
  /** Field of the answer file that this is about, when there is one. */
  readonly field?: string;
  readonly remedy?: string;
}

/** What the agent can learn of one machine in one visit, for the checks that need only that. Sizes in bytes. */
export interface HostFacts {
  readonly hostname: string;
  readonly machineId: string;
  /** From the firmware; absent in a container, which shows that of the machine around it. */
  readonly productUuid?: string;
  readonly operatingSystem: { readonly id: string; readonly version: string };
  readonly architecture: string;
  readonly cpus: number;
  readonly memory: number;
  readonly swap: number;
  readonly kernel: string;
  readonly cgroupVersion: 1 | 2;
  readonly cgroupControllers: readonly string[];
  readonly kernelFeatures: {
    readonly overlay: boolean;
    readonly brNetfilter: boolean;
    readonly ipForward: boolean;
  };
  readonly freeDisk: Readonly<Record<string, number>>;
  /** Seconds since the epoch on the machine when the facts were taken. */
  readonly clock: number;
  /** Half the round trip of the question, in seconds: the clock's uncertainty. */
  readonly clockUncertainty: number;
  /**
   * The asker's own clock in the middle of that question, seconds since the epoch. Machines are asked one after the
   * other: only differences to it can be compared. Absent where all are asked at one instant (the model).
   */
  readonly askedAt?: number;
  readonly listeningPorts: readonly { readonly port: number; readonly process: string }[];
  readonly addresses: readonly { readonly interface: string; readonly cidr: string; readonly mtu: number }[];
  readonly routes: readonly {
    readonly destination: string;
    readonly via?: string;
    readonly interface: string;
  }[];
  readonly tools: Readonly<Record<string, boolean>>;
  /** Uid of the cluster this machine was prepared for, from /var/lib/remuda/cluster; absent on an untouched machine. */
  readonly ownedBy?: string;
  /** Paths and units that a Kubernetes installation leaves, ours or not: /etc/kubernetes, /var/lib/etcd/member, … */
  readonly leftovers: readonly string[];
  /** Facts a node image declares about itself in /etc/remuda/machine.json. */
  readonly declared: MachineDeclaration;
}

/** What a node image tells the steps about the ground it gives; absent fields mean an ordinary Linux machine. */
export interface MachineDeclaration {
  readonly cgroupDriver?: 'systemd' | 'cgroupfs';
  readonly restrictOomScoreAdj?: boolean;
  readonly conntrackUntouched?: boolean;
  /** kubeadm preflight errors that are known to be untrue on this ground. */
  readonly ignorePreflightErrors?: readonly string[];
}

/** Result of reaching from one machine to another address. */
export interface Reach {
  readonly to: string;
  readonly reachable: boolean;
  /** Largest unfragmented IPv4 packet that passed, bytes; 0 when unreachable. */
  readonly mtu: number;
  /** Somebody on the same link answered for the address (ARP), though no packet passed: a firewall in between, say. */
  readonly neighbour?: boolean;
}

/** Write latency of the disk that etcd will use. */
export interface DiskLatency {
  /** 99th percentile of write+fdatasync, milliseconds (etcd asks for < 10 ms). */
  readonly fsyncP99: number;
  readonly samples: number;
}
