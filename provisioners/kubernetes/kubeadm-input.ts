import type { MachineRef } from '../contract/machine.ts';
import type { MachineDeclaration } from '../contract/preflight.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import type { KubernetesMinor } from './versions.ts';

/** What a configuration of kubeadm is made from, whatever its format. */
export interface KubeadmInput {
  readonly minor: KubernetesMinor;
  readonly settings: ClusterSettings;
  readonly machine: MachineRef;
  readonly declared: MachineDeclaration;
  readonly bootstrapToken: string;
}

/** A join also says whether a control plane is joined. */
export interface JoinInput extends KubeadmInput {
  readonly isMaster: boolean;
}
