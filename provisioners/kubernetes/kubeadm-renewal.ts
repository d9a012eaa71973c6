import type { MachineRef } from '../contract/machine.ts';
import type { StepContext } from '../contract/step.ts';
import { widenKubeconfigs } from './authority-trust.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { minorOfCluster, renewalConfig } from './kubeadm-config.ts';
import { declarationOf } from './machine-declaration.ts';
import { paths } from './paths.ts';

/** Lets kubeadm make all its certificates on a machine anew, with the authorities that are laid out there. */
export async function renewByKubeadm(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
): Promise<void> {
  const declared = await declarationOf(context, machine);
  // Where etcd stands apart, kubeadm would leave out the certificate with which API servers speak to it.
  const { etcd: _apart, ...local } = settings;
  const content = renewalConfig({ minor: minorOfCluster(settings), settings: local, machine, declared });
  await context.file.write(machine, [{ path: paths.renewal, content, mode: 0o600 }]);
  await context.kubeadm.run(machine, { verb: 'renew', config: paths.renewal });
  await widenKubeconfigs(context, machine);
}
