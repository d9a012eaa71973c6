import { z } from 'zod';
import { field } from './field.ts';
import { flagSchema, textSchema } from './values.ts';

const argumentsOf = (component: string) =>
  field(z.record(flagSchema, z.string()).default({}), {
    mutability: 'rolling-replace',
    help: `More flags of ${component}, without the leading hyphens. Unsupported: may break upgrades.`,
  });

/** Escape hatch, marked unsupported. */
export const kubeadmSchema = z.strictObject({
  patches: z
    .array(
      z.strictObject({
        target: field(textSchema, {
          mutability: 'rolling-replace',
          help: 'What is patched, as kubeadm names it, such as `kube-apiserver`. Unsupported.',
          example: 'kube-apiserver',
        }),
        type: field(z.enum(['strategic', 'merge', 'json']).default('strategic'), {
          mutability: 'rolling-replace',
          help: 'Kind of patch. Unsupported.',
          example: 'merge',
        }),
        patch: field(textSchema, {
          mutability: 'rolling-replace',
          help: 'The patch itself, YAML. Unsupported.',
          example: 'metadata: {}',
        }),
      }),
    )
    .default([]),
  extraArgs: z
    .strictObject({
      apiServer: argumentsOf('kube-apiserver'),
      controllerManager: argumentsOf('kube-controller-manager'),
      scheduler: argumentsOf('kube-scheduler'),
      etcd: argumentsOf('etcd'),
      kubelet: argumentsOf('kubelet'),
    })
    .prefault({}),
});
