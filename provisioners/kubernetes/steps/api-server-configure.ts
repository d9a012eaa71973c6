import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  kubernetesVersion: z.string(),
});

/** Being written. */
export const apiServerConfigure = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'api-server.configure',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Lay out the API server policies on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
