import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  kubernetesVersion: z.string(),
  role: z.enum(['control-plane', 'worker']),
});

/** Being written. */
export const payloadInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'payload.install',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine, kubernetesVersion }) => `Bring Kubernetes ${kubernetesVersion} to ${machine.name}`,
  schema: inputSchema,
  limits: lengthy,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
