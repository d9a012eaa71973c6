import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { accessSchema, clusterSettingsSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { kubeadmRun } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  access: accessSchema,
});

/** Being written. */
export const controlPlaneJoin = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'control-plane.join',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Join ${machine.name} to the control plane`,
  schema: inputSchema,
  limits: kubeadmRun,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
