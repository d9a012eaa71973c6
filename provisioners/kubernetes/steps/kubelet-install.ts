import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, type ConfiguredService, observeService } from '../configured-service.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;

/** Until kubeadm has written the kubelet's configuration the unit is skipped, instead of failing every few seconds. */
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

const service: ConfiguredService = {
  name: 'kubelet',
  files: [
    { path: paths.kubeletUnit, content: unit, mode: 0o644 },
    { path: paths.kubeletDropIn, content: dropIn, mode: 0o644 },
  ],
  units: ['kubelet.service'],
  mustRun: false,
};

/** The kubelet's unit and kubeadm's drop-in, enabled; its configuration comes from the cluster when it joins. */
export const kubeletInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet.install',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine }) => `Install the kubelet on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  observe: (context, { machine }) => observeService(context, machine, service),
  apply: (context, { machine }) => applyService(context, machine, service),
});
