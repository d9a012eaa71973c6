import type { MachineRef } from '../machine.ts';
import type { UnitRun } from './host.ts';

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
      /** kubeadm makes the certificates of what it exchanges anew, unless it is told not to. */
      readonly keepsCertificates?: true;
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
