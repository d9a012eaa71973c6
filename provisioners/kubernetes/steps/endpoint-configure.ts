import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { endpointSchema } from '../cluster-settings.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  masters: z.array(z.strictObject({ name: z.string(), address: z.string() })).min(1),
  endpoint: endpointSchema,
  apiPort: z.int().positive(),
});

/** Being written. */
export const endpointConfigure = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'endpoint.configure',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine, endpoint }) => `Serve ${endpoint.host}:${endpoint.port} from ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  observe: () => Promise.reject(new Error('being written')),
  apply: () => Promise.reject(new Error('being written')),
});
