import { z } from 'zod';
import { field } from './field.ts';
import { apiVersionSchema, kindSchema, metadataSchema } from './metadata.ts';
import { secretSourceSchema } from './secret.ts';
import { cidrSchema, hostSchema, labelsSchema, portSchema, sizeSchema, textSchema } from './values.ts';

const machineCpus = 2;
const machineMemory = '2Gi';

/** The embedded lab: machines are containers on the box that runs Remuda. */
const labSchema = z.strictObject({
  subnet: field(cidrSchema.optional(), {
    mutability: 'immutable',
    help: 'IPv4 network of the lab, at least a /24. When it is absent, a free one is chosen as the lab is made. The machines get .11 to .250, the API address is .100, the gateway .1.',
    example: '10.77.0.0/24',
  }),
  cpus: field(z.int().min(1).max(64).default(machineCpus), {
    mutability: 'new-machines-only',
    help: 'CPUs a lab machine counts as having, when its group does not say.',
    example: machineCpus,
  }),
  memory: field(sizeSchema.prefault(machineMemory), {
    mutability: 'new-machines-only',
    help: 'Memory of a lab machine, when its group does not say.',
    example: machineMemory,
    notation: 'size',
  }),
});

const sshSchema = z.strictObject({
  user: field(textSchema.default('root'), {
    mutability: 'in-place',
    help: 'User who logs in; needs root or password-less sudo.',
    example: 'root',
  }),
  port: field(portSchema.default(22), {
    mutability: 'in-place',
    help: 'Port of the SSH server.',
    example: 22,
  }),
  keyRef: secretSourceSchema.optional(),
  bastion: z
    .strictObject({
      address: field(hostSchema, {
        mutability: 'in-place',
        help: 'Jump host through which the machine is reached.',
        example: 'bastion.dc1.example',
      }),
      user: field(textSchema.default('root'), {
        mutability: 'in-place',
        help: 'User on the jump host.',
        example: 'root',
      }),
      port: field(portSchema.default(22), {
        mutability: 'in-place',
        help: 'Port of the SSH server on the jump host.',
        example: 22,
      }),
      keyRef: secretSourceSchema.optional(),
    })
    .optional(),
});

/** One machine that exists already. */
const hostSchemaOfList = z.strictObject({
  role: field(z.enum(['control-plane', 'worker', 'etcd']), {
    mutability: 'immutable',
    help: 'What the host is for.',
    example: 'worker',
  }),
  address: field(hostSchema, {
    mutability: 'immutable',
    help: 'IPv4 address or DNS name of the host.',
    example: '10.20.1.11',
  }),
  ssh: sshSchema.prefault({}),
  labels: field(labelsSchema.default({}), {
    mutability: 'in-place',
    help: 'Labels by which worker groups may choose this host.',
  }),
});

const vsphereSchema = z.strictObject({
  server: field(hostSchema, {
    mutability: 'immutable',
    help: 'Host name or address of vCenter.',
    example: 'vcenter.dc1.example',
  }),
  credentials: secretSourceSchema,
  datacenter: field(textSchema, {
    mutability: 'immutable',
    help: 'Datacenter, by name or path.',
    example: 'DC1',
  }),
  cluster: field(textSchema, {
    mutability: 'new-machines-only',
    help: 'Compute cluster the machines run in.',
    example: 'compute-a',
  }),
  resourcePool: field(textSchema.optional(), {
    mutability: 'new-machines-only',
    help: 'Resource pool inside the compute cluster; its root pool when absent.',
    example: 'k8s',
  }),
  datastores: z.strictObject({
    templates: field(textSchema, {
      mutability: 'new-machines-only',
      help: 'Datastore for templates.',
      example: 'images',
    }),
    machines: field(textSchema, {
      mutability: 'new-machines-only',
      help: 'Datastore for the disks of machines.',
      example: 'nvme',
    }),
    volumes: field(textSchema, {
      mutability: 'new-machines-only',
      help: 'Datastore for persistent volumes.',
      example: 'capacity',
    }),
  }),
  network: field(textSchema, {
    mutability: 'new-machines-only',
    help: 'Port group of the machines.',
    example: 'k8s-nodes',
  }),
  templates: z
    .strictObject({
      folder: field(textSchema.default('remuda'), {
        mutability: 'new-machines-only',
        help: 'VM folder that holds the templates.',
        example: 'remuda',
      }),
      prefix: field(textSchema.default('remuda-node-'), {
        mutability: 'new-machines-only',
        help: 'Start of a template name; the Kubernetes version follows.',
        example: 'remuda-node-',
      }),
    })
    .prefault({}),
});

const ec2Schema = z.strictObject({
  region: field(textSchema, { mutability: 'immutable', help: 'AWS region.', example: 'eu-central-1' }),
  zones: field(z.array(textSchema).default([]), {
    mutability: 'new-machines-only',
    help: 'Availability zones to spread over; all zones of the region when empty.',
  }),
  endpoint: field(hostSchema.optional(), {
    mutability: 'immutable',
    help: "Host name of another API endpoint than the region's own.",
    example: 'ec2.eu-central-1.example',
  }),
  credentials: secretSourceSchema.optional(),
});

/** Bare metal comes with its own milestone; the section is empty until then. */
const metalSchema = z.strictObject({});

/** The kinds of infrastructure, in the order of the manual. */
export const providerTypes = ['lab', 'hosts', 'vsphere', 'ec2', 'metal'] as const;

/** `kind: Provider`. */
export const providerDocumentSchema = z.strictObject({
  apiVersion: apiVersionSchema,
  kind: kindSchema('Provider'),
  metadata: metadataSchema,
  spec: z.strictObject({
    type: field(z.enum(providerTypes), {
      mutability: 'immutable',
      help: 'Kind of infrastructure. The section of the same name describes it.',
      example: 'lab',
    }),
    lab: labSchema.optional(),
    hosts: z.array(hostSchemaOfList).optional(),
    vsphere: vsphereSchema.optional(),
    ec2: ec2Schema.optional(),
    metal: metalSchema.optional(),
  }),
});
