import { z } from 'zod';
import { accessSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  kubernetesVersion: z.string(),
  podCidr: z.string(),
  serviceCidr: z.string(),
  serviceDomain: z.string(),
  settings: z.record(z.string(), z.json()),
  access: accessSchema,
});

/** Being written. */
export const addonInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'addon.install',
  version: 1,
  nature: 'ensure',
  phase: 'add-ons',
  destructive: false,
  title: ({ name }) => `Install ${name}`,
  schema: inputSchema,
  limits: lengthy,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
