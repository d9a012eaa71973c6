import { z } from 'zod';
import { accessSchema, endpointSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  /** Every Node there must be, and no other. */
  nodes: z.array(z.string()).min(1),
  /** Every etcd voter there must be, and no other. */
  voters: z.array(z.string()).min(1),
  kubernetesVersion: z.string(),
  endpoint: endpointSchema,
  access: accessSchema,
});

/** Being written. */
export const clusterVerify = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'cluster.verify',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  title: () => `Prove that the cluster works`,
  schema: inputSchema,
  limits: lengthy,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
