import { z } from 'zod';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { minorFor, tagOf } from '../versions.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
  kubernetesVersion: z.string(),
  /**
   * `new`: only pods that come from now on are of this version, those that run stay as they are, because their machines
   * have no other image on board. `all`: as kubeadm leaves it.
   */
  rollout: z.enum(['new', 'all']),
});
type Input = z.infer<typeof inputSchema>;

/** kubeadm's own (phases/addons/proxy); absent where the network does without. */
const reference = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  namespace: 'kube-system',
  name: 'kube-proxy',
} as const;

const daemonSetSchema = z.object({
  spec: z.object({
    updateStrategy: z.object({ type: z.string() }).optional(),
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })) }),
    }),
  }),
});

const wishOf = ({ kubernetesVersion, rollout }: Input) => ({
  image: `${minorFor(kubernetesVersion).images.registry}/kube-proxy:${tagOf(kubernetesVersion)}`,
  strategy: rollout === 'new' ? 'OnDelete' : 'RollingUpdate',
});

/** What differs, in a sentence; undefined when nothing does. */
function differenceOf(object: KubernetesObject, input: Input): string | undefined {
  const { spec } = daemonSetSchema.parse(object);
  const { image, strategy } = wishOf(input);
  const found = spec.template.spec.containers.find(({ name }) => name === 'kube-proxy')?.image;
  if (found !== image) return `it is ${found ?? 'of no image'}`;
  const type = spec.updateStrategy?.type ?? 'RollingUpdate';
  return type === strategy ? undefined : `its pods are exchanged by ${type}`;
}

/**
 * The version of kube-proxy, for machines that come with an upgrade: each has only the images of its own version on
 * board, and fetches none. Without it their Services, and whatever needs them, never come up.
 */
export const kubeProxyUpdate = defineStep<Input, NoFacts>({
  kind: 'kube-proxy.update',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ kubernetesVersion, rollout }) =>
    rollout === 'new'
      ? `Let new machines run kube-proxy ${kubernetesVersion}`
      : `Let all machines run kube-proxy ${kubernetesVersion}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const object = await context.kubernetes.get(input.access, reference);
    const difference = object && differenceOf(object, input);
    if (difference === undefined) return { state: 'done', facts: {} };
    return { state: 'todo', why: `kube-proxy is to be another: ${difference}` };
  },
  async apply(context, input) {
    const { image, strategy } = wishOf(input);
    const { apiVersion, kind, ...metadata } = reference;
    const containers = [{ name: 'kube-proxy', image }];
    const spec = { updateStrategy: { type: strategy }, template: { spec: { containers } } };
    await context.kubernetes.apply(input.access, [{ apiVersion, kind, metadata, spec }]);
  },
});
