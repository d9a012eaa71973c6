import { z } from 'zod';
import { field } from './field.ts';
import { machineSchema, taintSchema } from './machine.ts';
import { labelsSchema, nameSchema } from './values.ts';

/** One group of equal workers. */
export const workerGroupSchema = z.strictObject({
  name: field(nameSchema, {
    mutability: 'immutable',
    help: 'Name of the group, unique in the cluster; part of the machine names.',
    example: 'general',
  }),
  replicas: field(z.int().min(0).max(1000), {
    mutability: 'in-place',
    help: 'Number of machines in the group.',
    example: 2,
  }),
  machine: machineSchema.prefault({ size: 'auto' }),
  labels: field(labelsSchema.default({}), { mutability: 'in-place', help: "Labels of the group's Nodes." }),
  taints: z.array(taintSchema).max(50).default([]),
});
