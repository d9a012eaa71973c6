import { z } from 'zod';
import { hookPoints } from '../../../provisioners/contract/hooks.ts';
import { field } from './field.ts';
import { secretSourceSchema } from './secret.ts';
import { durationSchema, nameSchema, scriptSchema, textSchema, webhookUrlSchema } from './values.ts';

/** Kinds of operations that hooks can be for, in the order of a cluster's life; `upgrade` is an update to another version. */
export const hookOperations = [
  'create',
  'update',
  'upgrade',
  'renew',
  'finalize',
  'backup',
  'restore',
  'delete',
] as const;

/** Those of a hook that does not say. */
const usualOperations = ['create', 'update', 'upgrade'] as const;

/** The ways a hook can run. */
export const hookWays = ['machine', 'job', 'webhook'] as const;

const machineSchema = z.strictObject({
  script: field(scriptSchema, {
    mutability: 'in-place',
    help: 'Commands for bash, or a program that begins with `#!`; run as root, in a clean environment that names cluster, machine and operation. Holds no secret: everybody who sees the plan reads it.',
    example: 'systemctl stop billing-worker',
  }),
});

const jobSchema = z.strictObject({
  image: field(textSchema, {
    mutability: 'in-place',
    help: 'Image of the container; machines must be able to pull it.',
    example: 'registry.dc1.example/tools/smoke:3',
  }),
  command: field(z.array(textSchema).min(1).max(100), {
    mutability: 'in-place',
    help: 'Program and arguments.',
    example: ['/bin/smoke', '--quick'],
  }),
  namespace: field(nameSchema.default('default'), {
    mutability: 'in-place',
    help: 'Namespace of the Job; it must be there.',
    example: 'operations',
  }),
  serviceAccount: field(nameSchema.optional(), {
    mutability: 'in-place',
    help: 'Service account of its pod; without one the pod gets no token.',
    example: 'smoke',
  }),
});

const webhookSchema = z.strictObject({
  url: field(webhookUrlSchema, {
    mutability: 'in-place',
    help: 'Where the message goes: `https://host[:port]/path`.',
    example: 'https://hooks.dc1.example/remuda',
  }),
  authority: field(textSchema.optional(), {
    mutability: 'in-place',
    help: 'PEM of the only certificate authorities that are believed; the public ones when left out.',
  }),
  credentials: secretSourceSchema,
});

const selectionSchema = z.strictObject({
  roles: field(
    z
      .array(z.enum(['control-plane', 'worker']))
      .min(1)
      .optional(),
    {
      mutability: 'in-place',
      help: 'Only machines of these roles.',
      example: ['worker'],
    },
  ),
  groups: field(z.array(nameSchema).min(1).max(100).optional(), {
    mutability: 'in-place',
    help: 'Only workers of these groups.',
    example: ['general'],
  }),
});

/** What users run beside Remuda's own steps. */
export const hookSchema = z.strictObject({
  name: field(nameSchema, {
    mutability: 'in-place',
    help: 'Name of the hook, unique in the cluster.',
    example: 'flush',
  }),
  at: field(z.enum(hookPoints), {
    mutability: 'in-place',
    help: '`beforeDrain`: the machine takes no new pods and its pods are still there; `afterDrain`: they are gone, the machine is still in the cluster; `afterBoot`: a machine has joined and does not count yet; `beforeOperation` and `afterOperation`: once, around all that disturbs.',
    example: 'beforeDrain',
  }),
  run: z.strictObject({
    machine: machineSchema.optional(),
    job: jobSchema.optional(),
    webhook: webhookSchema.optional(),
  }),
  for: selectionSchema.prefault({}),
  operations: field(
    z
      .array(z.enum(hookOperations))
      .min(1)
      .default([...usualOperations]),
    {
      mutability: 'in-place',
      help: 'Kinds of operations in which it runs.',
      example: ['upgrade'],
    },
  ),
  timeout: field(durationSchema.optional(), {
    mutability: 'in-place',
    help: 'Longest time of a script or a Job; of a webhook, what the receiver may take to answer. 5m, and 20s for webhooks, when left out.',
    example: '10m',
  }),
  onFailure: field(z.enum(['stop', 'continue']).default('stop'), {
    mutability: 'in-place',
    help: '`stop`: the operation fails, and a resume runs the hook again; `continue`: it is told as a warning.',
    example: 'stop',
  }),
});
