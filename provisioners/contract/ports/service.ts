import type { Instant } from '../time.ts';
import type { MachineRef } from '../machine.ts';

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
