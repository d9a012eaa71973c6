import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { quick } from '../limits.ts';
import { allPods } from '../node-pods.ts';

const inputSchema = z.strictObject({ name: z.string(), access: accessSchema });

/**
 * Takes a Node and what is left of its pods out of the cluster. It comes after the fence: while its machine might still
 * run pods, Kubernetes must not start them anew elsewhere
 * (https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/). Without the pods' removal the
 * controller-manager would find them orphaned only after a minute, and their successors would wait as long.
 */
export const nodeRemove = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'node.remove',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  title: ({ name }) => `Remove the Node ${name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { name, access }) {
    const node = await nodeOf(context, access, name);
    if (node === undefined) return { state: 'done', facts: {} };
    // The garbage collector runs in the leading controller-manager, which may just have left with its master.
    if (node.metadata['deletionTimestamp'] !== undefined)
      return {
        state: 'pending',
        what: `the Node ${name} to be gone`,
        lastSeen: 'it was deleted, and the garbage collector has not taken it out yet',
        since: context.now(),
        usually: seconds(15),
      };
    return { state: 'todo', why: `the Node ${name} is there` };
  },
  async apply(context, { name, access }) {
    const pods = await allPods(context, access, name);
    await context.kubernetes.remove(access, { apiVersion: 'v1', kind: 'Node', name });
    // After the Node: while it is there, its DaemonSets would make theirs again.
    await Promise.all(pods.map((pod) => context.kubernetes.deletePod(access, pod, 0)));
  },
});
