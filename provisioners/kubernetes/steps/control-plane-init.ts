import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { clusterSettingsSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { kubeadmRun } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** Masters that exist already: none of them may hold a control plane, or this would be a second cluster. */
  others: z.array(machineRefSchema),
});

/** Being written. */
export const controlPlaneInit = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'control-plane.init',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Start the control plane on ${machine.name}`,
  schema: inputSchema,
  limits: kubeadmRun,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
