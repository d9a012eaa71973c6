import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
});

/** Being written. */
export const pkiInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'pki.install',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Install the certificate authorities on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
