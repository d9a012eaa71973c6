import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { type ServingRequest, servingRequestOf, whyNotServe } from '../kubelet-serving-request.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  /** The machines of the cluster with the addresses they were given. */
  nodes: z.array(z.strictObject({ name: z.string(), addresses: z.array(z.string()).min(1) })),
  access: accessSchema,
});

/** Requests for kubelets' serving certificates on which nobody has decided. */
async function undecided(context: StepContext, access: ControlPlaneAccess): Promise<ServingRequest[]> {
  const found = await context.kubernetes.list(access, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
  });
  return found.flatMap((object) => servingRequestOf(object) ?? []).filter(({ isDecided }) => !isDecided);
}

/**
 * Decides on what kubelets ask to serve with: Kubernetes itself never does. What is not a node's own is denied, so that
 * it shows and is not judged again; a kubelet that was denied asks anew by itself.
 */
export const kubeletServingApprove = defineStep<z.infer<typeof inputSchema>, Record<string, never>>({
  kind: 'kubelet-serving.approve',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: () => `Check and approve the kubelets' serving certificates`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { access }) {
    const open = await undecided(context, access);
    if (open.length === 0) return { state: 'done', facts: {} };
    return { state: 'todo', why: `${open.length} kubelets wait for a serving certificate` };
  },
  async apply(context, { nodes, access }) {
    for (const request of await undecided(context, access)) {
      const why = await whyNotServe(request, nodes);
      const [type, reason] =
        why === undefined ? (['Approved', 'OwnName'] as const) : (['Denied', 'NotItsOwn'] as const);
      const message =
        why === undefined ? 'Remuda: the node asks for its own name and addresses' : `Remuda: ${why}`;
      context.log(`${type.toLowerCase()} ${request.name} of ${request.username}: ${message}`);
      await context.kubernetes.decide(access, request.name, { type, reason, message });
    }
  },
});
