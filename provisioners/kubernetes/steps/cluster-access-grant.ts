import { z } from 'zod';
import { accessSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
});

/** Being written. */
export const clusterAccessGrant = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'cluster-access.grant',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: () => `Grant access to the cluster`,
  schema: inputSchema,
  limits: quick,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
