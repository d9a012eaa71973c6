import { z } from 'zod';
import { field } from './field.ts';
import { machineSchema } from './machine.ts';
import { hostSchema, portSchema } from './values.ts';

const endpointSchema = z.strictObject({
  host: field(hostSchema.optional(), {
    mutability: 'immutable',
    help: "Virtual IP address (or DNS name) of the Kubernetes API. With the lab provider it may be left out: .100 of the lab's subnet is taken.",
    example: '10.20.0.10',
  }),
  port: field(portSchema.default(6443), {
    mutability: 'immutable',
    help: 'Port of the Kubernetes API.',
    example: 6443,
  }),
  exposure: field(z.enum(['internal', 'public']).default('internal'), {
    mutability: 'immutable',
    help: 'Whether the API is reachable from outside the node network.',
    example: 'internal',
  }),
});

/** The masters of a cluster. */
export const controlPlaneSchema = z.strictObject({
  replicas: field(z.int().min(1).max(7).default(3), {
    mutability: 'in-place',
    help: 'Number of masters: 1, 3, 5 or 7. An odd number, because etcd needs a majority.',
    example: 3,
  }),
  endpoint: endpointSchema.prefault({}),
  certSANs: field(z.array(hostSchema).max(64).default([]), {
    mutability: 'in-place',
    help: 'More names and addresses under which the API is reached; they go into its certificate.',
  }),
  machine: machineSchema.prefault({ size: 'auto' }),
  antiAffinity: field(z.enum(['required', 'preferred', 'none']).default('preferred'), {
    mutability: 'new-machines-only',
    help: 'Whether masters must stand on different physical hosts. The lab has one host and ignores it.',
    example: 'required',
  }),
});
