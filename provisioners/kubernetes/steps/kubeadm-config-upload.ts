import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { look, putConfiguration } from '../kubeadm-config-map.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  /** A master that stays: what kubeadm is told of itself does not end up in the shared configuration. */
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** Tells the cluster's kubeadm which version the machines that join from now on are to run (row C3). */
export const kubeadmConfigUpload = defineStep<Input, NoFacts>({
  kind: 'kubeadm-config.upload',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ settings }) => `Let new masters run Kubernetes ${settings.kubernetesVersion}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const { isSame, there } = await look(context, input);
    if (isSame) return { state: 'done', facts: {} };
    return { state: 'todo', why: `kubeadm's configuration speaks of ${String(there['kubernetesVersion'])}` };
  },
  async apply(context, input) {
    const { wanted } = await look(context, input);
    await putConfiguration(context, input.access, wanted);
  },
});
