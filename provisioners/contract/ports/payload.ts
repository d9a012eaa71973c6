import type { Instant } from '../time.ts';
import type { MachineRef } from '../machine.ts';

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
