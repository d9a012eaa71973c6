import { z } from 'zod';
import { field } from './field.ts';
import { versionSchema } from './values.ts';

/** How machines are brought to a new version. Kept with the cluster; read when an upgrade is planned. */
export const upgradeSchema = z.strictObject({
  strategy: field(z.enum(['BlueGreen', 'InPlace']).default('BlueGreen'), {
    mutability: 'in-place',
    help: '`BlueGreen` replaces machines by new ones; `InPlace` upgrades them where they stand.',
    example: 'BlueGreen',
  }),
  maxSurge: field(z.int().min(0).max(100).default(1), {
    mutability: 'in-place',
    help: 'How many workers of a group may exist beyond its replicas while they are replaced.',
    example: 1,
  }),
  maxUnavailable: field(z.int().min(0).max(100).default(0), {
    mutability: 'in-place',
    help: 'How many workers of a group may be missing while they are replaced.',
    example: 0,
  }),
  through: field(z.array(versionSchema).max(10).default([]), {
    mutability: 'in-place',
    help: 'Versions to stop at on the way to one that is more than a minor newer: one of each minor between.',
    example: ['1.36.2'],
  }),
  keep: field(z.enum(['controlPlane', 'all', 'none']).default('controlPlane'), {
    mutability: 'in-place',
    help: 'Which replaced machines stay, switched off, until `finalize`.',
    example: 'controlPlane',
  }),
});
