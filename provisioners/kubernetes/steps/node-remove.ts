import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({ name: z.string(), access: accessSchema });

/**
 * Takes a Node out of the cluster. It comes after the fence: while its machine might still run pods, Kubernetes must not
 * start them anew elsewhere
 * (https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/).
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
    return node === undefined
      ? { state: 'done', facts: {} }
      : { state: 'todo', why: `the Node ${name} is there` };
  },
  apply: (context, { name, access }) =>
    context.kubernetes.remove(access, { apiVersion: 'v1', kind: 'Node', name }),
});
