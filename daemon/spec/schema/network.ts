import { z } from 'zod';
import { field } from './field.ts';
import { addressSchema, cidrSchema, domainSchema, hostSchema, rangeSchema } from './values.ts';

/** Networks inside the cluster. */
export const clusterNetworkSchema = z.strictObject({
  pods: z
    .strictObject({
      cidrBlocks: field(z.array(cidrSchema).min(1).max(2).default(['10.244.0.0/16']), {
        mutability: 'immutable',
        help: 'Network of the pods. Every machine takes a /24 of it.',
      }),
    })
    .prefault({}),
  services: z
    .strictObject({
      cidrBlocks: field(z.array(cidrSchema).min(1).max(2).default(['10.96.0.0/12']), {
        mutability: 'immutable',
        help: "Network of the Services' cluster addresses.",
      }),
    })
    .prefault({}),
  serviceDomain: field(domainSchema.default('cluster.local'), {
    mutability: 'immutable',
    help: 'DNS domain of Services.',
    example: 'cluster.local',
  }),
});

/** The network the machines stand in. */
export const nodeNetworkSchema = z.strictObject({
  ranges: field(z.array(rangeSchema).min(1).max(64), {
    mutability: 'new-machines-only',
    help: 'Addresses for machines: `first-last` or a CIDR. Room for the machines that replacement adds is needed too.',
    example: ['10.20.1.10-10.20.1.250'],
  }),
  prefix: field(z.int().min(8).max(30), {
    mutability: 'immutable',
    help: 'Length of the network prefix, such as 24.',
    example: 24,
  }),
  gateway: field(addressSchema.optional(), {
    mutability: 'new-machines-only',
    help: 'Default gateway of the machines.',
    example: '10.20.0.1',
  }),
  dns: field(z.array(addressSchema).max(8).default([]), {
    mutability: 'new-machines-only',
    help: 'DNS servers of the machines.',
  }),
  ntp: field(z.array(hostSchema).max(8).default([]), {
    mutability: 'new-machines-only',
    help: 'Time servers of the machines.',
  }),
});
