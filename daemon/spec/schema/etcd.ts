import { z } from 'zod';
import { field } from './field.ts';
import { machineSchema } from './machine.ts';

/** Where etcd runs: on the masters, or on machines of its own. */
export const etcdSchema = z.strictObject({
  topology: field(z.enum(['stacked', 'external']).default('stacked'), {
    mutability: 'immutable',
    help: '`stacked`: each master has a member of etcd. `external`: etcd has machines of its own, `<cluster>-etcd-1` and so on; the fields beside this one are about them.',
    example: 'external',
  }),
  replicas: field(z.int().min(1).max(7).default(3), {
    mutability: 'in-place',
    help: 'Number of machines of etcd where it is external: 1, 3, 5 or 7. An odd number, because etcd needs a majority.',
    example: 3,
  }),
  machine: machineSchema.prefault({ size: 'auto' }),
  antiAffinity: field(z.enum(['required', 'preferred', 'none']).default('preferred'), {
    mutability: 'new-machines-only',
    help: 'Whether machines of etcd must stand on different physical hosts. The lab has one host and ignores it.',
    example: 'required',
  }),
});
