import { z } from 'zod';
import { machineRoleSchema } from '../../contract/machine.ts';
import { accessSchema } from '../cluster-settings.ts';
const taintSchema = z.strictObject({ key: z.string(), value: z.string().optional(), effect: z.string() });
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  name: z.string(),
  role: machineRoleSchema,
  labels: z.record(z.string(), z.string()),
  taints: z.array(taintSchema),
  configDigest: z.string(),
  access: accessSchema,
});

/** Being written. */
export const nodeLabel = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'node.label',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ name }) => `Label the Node ${name}`,
  schema: inputSchema,
  limits: quick,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
