import { z } from 'zod';
import { field } from './field.ts';
import { rangeSchema } from './values.ts';

/** What is installed into the cluster with it. A section that is present asks for the add-on. */
export const addonsSchema = z.strictObject({
  network: z
    .strictObject({
      type: field(z.enum(['routed-bridge', 'cilium', 'calico']).default('routed-bridge'), {
        mutability: 'immutable',
        help: 'Network plugin. `routed-bridge` is a plain bridge on every machine with routes between them; it needs all machines in one network.',
        example: 'routed-bridge',
      }),
    })
    .prefault({}),
  dns: z
    .strictObject({
      enabled: field(z.boolean().default(true), {
        mutability: 'in-place',
        help: 'Whether the cluster gets DNS for Services.',
        example: true,
      }),
    })
    .prefault({}),
  loadBalancer: z
    .strictObject({
      ranges: field(z.array(rangeSchema).min(1).max(64), {
        mutability: 'in-place',
        help: 'Addresses for Services of type LoadBalancer.',
        example: ['10.20.3.0/25'],
      }),
    })
    .optional(),
  gateway: z.strictObject({}).optional(),
  storage: z.strictObject({}).optional(),
  registry: z.strictObject({}).optional(),
});
