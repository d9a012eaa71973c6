import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { cordonOf, holdsMarks, release } from '../cordon.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({ node: z.string(), access: accessSchema });

/** What a release leaves to refer to. */
export type UncordonFacts = {
  /** The Node still takes no pods, because somebody else cordoned it. */
  readonly theirs: boolean;
};

/** Releases our cordon, whichever operation set it, with every mark of it. Cordons of others stay. */
export const nodeUncordon = defineStep<z.infer<typeof inputSchema>, UncordonFacts>({
  kind: 'node.uncordon',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ node }) => `Let ${node} take pods again`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { node: name, access }) {
    const node = await nodeOf(context, access, name);
    const found = node === undefined ? undefined : cordonOf(node);
    if (node === undefined || !holdsMarks(node))
      return { state: 'done', facts: { theirs: found?.state === 'theirs' } };
    const by = found?.state === 'ours' ? `the operation ${found.by} cordoned it` : 'it bears our marks';
    return { state: 'todo', why: `${by}: ${name}` };
  },
  apply: (context, { node, access }) => release(context, access, node),
});
