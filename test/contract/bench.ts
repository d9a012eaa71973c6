import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';

/** Whom the ports under test work for. */
export interface WorkOf {
  readonly operation?: string;
  readonly step?: string;
  readonly attempt?: number;
  readonly epoch?: number;
}

/**
 * What a contract suite needs of the world it runs in: the model and the lab both bring one. Each suite leaves the
 * machine usable for the next.
 */
export interface Bench {
  /** Ports for some work; each call is a new agent process as far as the ports can tell. */
  ports(work?: WorkOf): Ports;
  /** A machine that answers. */
  readonly machine: MachineRef;
  /** A reference at whose address nobody answers. */
  readonly absent: MachineRef;
  /** The same machine with somebody else's host key as the accepted one. */
  readonly impostor: MachineRef;
  /** Lines that the ports wrote to the log, oldest first. */
  lines(): readonly string[];
  stop(): Promise<void>;
}

/** A bench with a control plane of one master: etcd and an API server answer. */
export interface ControlPlaneBench extends Bench {
  readonly access: ControlPlaneAccess;
}
