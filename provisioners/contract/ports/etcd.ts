import type { MachineRef } from '../machine.ts';
import type { EtcdMember } from '../observed.ts';

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
