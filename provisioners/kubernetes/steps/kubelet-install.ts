import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, type ConfiguredService, observeService } from '../configured-service.ts';
import { containerdFiles } from '../containerd-config.ts';
import { quick } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { paths } from '../paths.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;

/**
 * Until kubeadm has written the kubelet's configuration the unit is skipped, instead of failing every few seconds. The
 * folder of static pods is made on every machine: kubeadm makes it on masters only, and a kubelet without it complains
 * each second (systemd.exec(5): ConfigurationDirectory; the mode is kubeadm's own).
 */
const unit = lines(
  '[Unit]',
  'Description=kubelet: the Kubernetes node agent',
  'Documentation=https://kubernetes.io/docs/',
  'After=containerd.service network-online.target',
  'Wants=network-online.target',
  'ConditionPathExists=/var/lib/kubelet/config.yaml',
  'StartLimitIntervalSec=0',
  '',
  '[Service]',
  'ExecStart=/usr/local/bin/kubelet',
  'Restart=always',
  'RestartSec=2',
  'ConfigurationDirectory=kubernetes/manifests',
  'ConfigurationDirectoryMode=0700',
  '',
  '[Install]',
  'WantedBy=multi-user.target',
);

/** kubeadm's own drop-in: https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/kubelet-integration/ */
const dropIn = lines(
  '[Service]',
  'Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"',
  'Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"',
  'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env',
  'ExecStart=',
  'ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS',
);

/** containerd's files come along: they need no binary, and containerd then starts as soon as it has come. */
async function serviceOf(
  context: StepContext,
  machine: MachineRef,
  version: string,
): Promise<ConfiguredService> {
  return {
    name: 'kubelet',
    files: [
      { path: paths.kubeletUnit, content: unit, mode: 0o644 },
      { path: paths.kubeletDropIn, content: dropIn, mode: 0o644 },
    ],
    others: containerdFiles(minorFor(version), await declarationOf(context, machine)),
    units: ['kubelet.service'],
    mustRun: false,
  };
}

/**
 * The kubelet's unit and kubeadm's drop-in, enabled; its configuration comes from the cluster when it joins. Beside
 * them what containerd is started from.
 */
export const kubeletInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet.install',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine }) => `Install the kubelet on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, kubernetesVersion }) {
    return observeService(context, machine, await serviceOf(context, machine, kubernetesVersion));
  },
  async apply(context, { machine, kubernetesVersion }) {
    await applyService(context, machine, await serviceOf(context, machine, kubernetesVersion));
  },
});
