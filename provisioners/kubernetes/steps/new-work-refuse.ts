import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { requireOwn } from '../deletion-note.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({ access: accessSchema });
type Input = z.infer<typeof inputSchema>;

/** Name of the admission configuration, and what is said to whoever is refused. */
export const refusalName = 'this-cluster-is-being-deleted';

/** What makes things outside of the machines come into being. */
const rules = [
  { apiGroups: [''], resources: ['services', 'persistentvolumeclaims', 'persistentvolumes'] },
  { apiGroups: ['networking.k8s.io', 'extensions'], resources: ['ingresses'] },
  { apiGroups: ['gateway.networking.k8s.io'], resources: ['gateways'] },
] as const;

/**
 * An admission webhook that nobody serves: the API server refuses what it was to be asked about, in every namespace and
 * every minor, and its answer names the Service that is not there: this cluster is being deleted. Only creations; what
 * is there may be changed, or no finalizer would ever come off.
 */
const refusal: KubernetesObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: `remuda-${refusalName}` },
  webhooks: [
    {
      name: `${refusalName}.remuda.dev`,
      clientConfig: { service: { namespace: 'kube-system', name: refusalName, path: '/', port: 443 } },
      rules: rules.map((rule) => ({ ...rule, apiVersions: ['*'], operations: ['CREATE'], scope: '*' })),
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 1,
    },
  ],
};

const reference = {
  apiVersion: refusal.apiVersion,
  kind: refusal.kind,
  name: refusal.metadata.name,
} as const;

const isThere = async ({ kubernetes }: StepContext, access: ControlPlaneAccess): Promise<boolean> =>
  (await kubernetes.get(access, reference)) !== undefined;

/**
 * Stops new work that would leave things behind: controllers and people make no Service, Ingress, Gateway or volume
 * claim any more while those that are there go.
 */
export const newWorkRefuse = defineStep<Input, NoFacts>({
  kind: 'new-work.refuse',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: false,
  title: () => 'Let no new Services, Ingresses and volume claims come into being',
  schema: inputSchema,
  limits: quick,
  async observe(context, { access }) {
    if (await isThere(context, access)) return { state: 'done', facts: {} };
    return { state: 'todo', why: 'new Services and volume claims are still taken' };
  },
  async apply(context, { access }) {
    await requireOwn(context, access);
    await context.kubernetes.apply(access, [refusal]);
  },
});

/** Gives back what {@link newWorkRefuse} holds when a deletion ends without success: the cluster lives on. */
export const newWorkAdmit = defineStep<Input, NoFacts>({
  kind: 'new-work.admit',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: false,
  title: () => 'Let new Services and volume claims come into being again',
  schema: inputSchema,
  limits: quick,
  async observe(context, { access }) {
    if (await isThere(context, access)) return { state: 'todo', why: 'new Services are still refused' };
    return { state: 'done', facts: {} };
  },
  apply: ({ kubernetes }, { access }) => kubernetes.remove(access, reference),
});
