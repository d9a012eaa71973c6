import type { MachineRole, MachineShape } from '../../provisioners/contract/machine.ts';
import type { ObservedNode } from '../../provisioners/contract/observed.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import type { Taint } from './config-digest.ts';

/** One machine as the document wants it, beside what there is of it. */
export interface WantedMachine {
  readonly name: string;
  readonly role: MachineRole;
  readonly shape: MachineShape;
  /** Known before the machine exists where addresses are ours to give; absent where the provider gives them. */
  readonly address?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly digest: string;
  readonly incarnation: number;
  readonly token: string;
  /** What the provider has under this name. */
  readonly machine?: ProviderMachine;
  /** What Kubernetes has under this name. */
  readonly node?: ObservedNode;
}
