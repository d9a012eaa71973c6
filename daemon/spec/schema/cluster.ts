import { z } from 'zod';
import { addonsSchema } from './addons.ts';
import { backupSchema } from './backup.ts';
import { certificatesSchema } from './certificates.ts';
import { controlPlaneSchema } from './control-plane.ts';
import { etcdSchema } from './etcd.ts';
import { field } from './field.ts';
import { hookSchema } from './hooks.ts';
import { kubeadmSchema } from './kubeadm.ts';
import { deletionSchema, maintenanceSchema } from './maintenance.ts';
import { apiVersionSchema, kindSchema, metadataSchema } from './metadata.ts';
import { clusterNetworkSchema, nodeNetworkSchema } from './network.ts';
import { proxySchema } from './proxy.ts';
import { upgradeSchema } from './upgrade.ts';
import { nameSchema, versionSchema } from './values.ts';
import { workerGroupSchema } from './workers.ts';

/** `kind: Cluster`. */
export const clusterDocumentSchema = z.strictObject({
  apiVersion: apiVersionSchema,
  kind: kindSchema('Cluster'),
  metadata: metadataSchema,
  spec: z.strictObject({
    provider: field(nameSchema, {
      mutability: 'immutable',
      help: 'Name of the Provider the machines come from.',
      example: 'lab',
    }),
    kubernetes: z.strictObject({
      version: field(versionSchema, {
        mutability: 'rolling-replace',
        help: 'Kubernetes version, in quotes.',
        example: '1.37.1',
      }),
    }),
    controlPlane: controlPlaneSchema.prefault({}),
    etcd: etcdSchema.prefault({}),
    workers: z.array(workerGroupSchema).max(100).default([]),
    clusterNetwork: clusterNetworkSchema.prefault({}),
    nodeNetwork: nodeNetworkSchema.optional(),
    addons: addonsSchema.prefault({}),
    proxy: proxySchema.prefault({}),
    kubeadm: kubeadmSchema.prefault({}),
    upgrade: upgradeSchema.prefault({}),
    maintenance: maintenanceSchema.prefault({}),
    backup: backupSchema.optional(),
    certificates: certificatesSchema.optional(),
    hooks: z.array(hookSchema).max(50).optional(),
    deletion: deletionSchema.prefault({}),
  }),
});
