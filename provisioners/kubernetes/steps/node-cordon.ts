import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { cordon, cordonOf } from '../cordon.ts';
import { drainRun } from '../limits.ts';
import { lookForShortfall, readyFloorSchema } from '../ready-floor.ts';

const inputSchema = z.strictObject({
  node: z.string(),
  access: accessSchema,
  /** Operation that the cordon is for; the one that runs when absent. */
  owner: z.string().exactOptional(),
  /** What its group must have before it is closed; nothing when absent. A cordon of ours that is there already stays. */
  floor: readyFloorSchema.exactOptional(),
});

/** What a cordon leaves to refer to. */
export type CordonFacts = {
  /** Whether the cordon is ours: one that was there before is somebody else's, and never released by us. */
  readonly ours: boolean;
  /** There is no such Node. */
  readonly missing: boolean;
};

/**
 * Keeps new pods off a Node, and says on it for which operation. A cordon that was there before is left alone. Waits
 * while too few others of its group serve: what follows takes one away.
 */
export const nodeCordon = defineStep<z.infer<typeof inputSchema>, CordonFacts>({
  kind: 'node.cordon',
  version: 2,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  disrupts: true,
  title: ({ node }) => `Keep new pods off ${node}`,
  schema: inputSchema,
  limits: drainRun,
  async observe(context, { node: name, access, owner = context.operation, floor }) {
    const node = await nodeOf(context, access, name);
    if (node === undefined) return { state: 'done', facts: { ours: false, missing: true } };
    const found = cordonOf(node);
    if (found.state === 'none') {
      const shortfall = floor && (await lookForShortfall(context, access, floor, name));
      if (shortfall !== undefined) return { state: 'blocked', ...shortfall };
      return { state: 'todo', why: `the Node ${name} takes new pods` };
    }
    if (found.state === 'theirs') return { state: 'done', facts: { ours: false, missing: false } };
    return found.by === owner
      ? { state: 'done', facts: { ours: true, missing: false } }
      : { state: 'todo', why: `the cordon of ${name} still names the operation ${found.by}` };
  },
  apply: (context, { node, access, owner = context.operation }) => cordon(context, access, node, owner),
});
