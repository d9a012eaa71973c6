import { z } from 'zod';
import { field } from './field.ts';
import { labelKeySchema, labelValueSchema, sizeSchema, textSchema } from './values.ts';

const diskSchema = z.strictObject({
  size: field(sizeSchema, {
    mutability: 'rolling-replace',
    help: 'Size of the disk.',
    example: '80Gi',
    notation: 'size',
  }),
  type: field(textSchema.optional(), {
    mutability: 'rolling-replace',
    help: "Kind of disk, in the provider's own words.",
    example: 'thin',
  }),
});

/**
 * What a machine is made of: `size: auto`, or `cpus` and `memory`. Up to 16 disks (REQUIREMENTS H2).
 */
export const machineSchema = z.strictObject({
  size: field(z.enum(['auto']).optional(), {
    mutability: 'rolling-replace',
    help: '`auto` chooses CPUs and memory: masters by the number of nodes, lab machines by the provider. Not together with `cpus` and `memory`.',
    example: 'auto',
  }),
  cpus: field(z.int().min(1).max(256).optional(), {
    mutability: 'rolling-replace',
    help: 'Virtual CPUs. A master needs at least 2.',
    example: 4,
  }),
  memory: field(sizeSchema.optional(), {
    mutability: 'rolling-replace',
    help: 'Memory.',
    example: '16Gi',
    notation: 'size',
  }),
  disks: z.array(diskSchema).max(16).default([]),
});

/** A taint of a Node (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/). */
export const taintSchema = z.strictObject({
  key: field(labelKeySchema, { mutability: 'in-place', help: 'Key of the taint.', example: 'dedicated' }),
  value: field(labelValueSchema.optional(), {
    mutability: 'in-place',
    help: 'Value of the taint.',
    example: 'database',
  }),
  effect: field(z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']), {
    mutability: 'in-place',
    help: 'What happens to pods that do not tolerate the taint.',
    example: 'NoSchedule',
  }),
});
