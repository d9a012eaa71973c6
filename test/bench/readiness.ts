import { z } from 'zod';

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({
        conditions: z
          .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() }))
          .default([]),
      }),
    }),
  ),
});

/** What of kube-system has to be ready beside the Nodes: the network and DNS; control planes tell through their Nodes. */
const counted = /^(remuda-routed-bridge|remuda-cluster-dns|kube-proxy)-/;

/**
 * When the last Node, network pod and DNS pod became Ready, milliseconds since the epoch, by the cluster's own
 * conditions (whole seconds). The same yardstick for both sides, whoever waited for what.
 * @param text `kubectl get nodes,pods -n kube-system -o json`
 * @throws Error when one of them is not Ready
 */
export function readySince(text: string, nodes: number): number {
  const items = listSchema
    .parse(JSON.parse(text))
    .items.map(({ metadata, status }) => ({
      name: metadata.name,
      isNode: status.conditions.some(({ type }) => type === 'MemoryPressure'),
      ready: status.conditions.find(({ type }) => type === 'Ready'),
    }))
    .filter(({ name, isNode }) => isNode || counted.test(name));
  const late = items.filter(({ ready }) => ready?.status !== 'True');
  if (late.length > 0 || items.filter(({ isNode }) => isNode).length !== nodes)
    throw new Error(`not Ready at the end: ${late.map(({ name }) => name).join(', ')}`);
  return Math.max(...items.map(({ ready }) => Date.parse(ready?.lastTransitionTime ?? '')));
}
