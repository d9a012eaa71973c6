import { z } from 'zod';
import { Blocked } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import { lengthy } from '../limits.ts';

const entrySchema = z.object({ type: z.string(), id: z.string(), name: z.string() });

/** The three lists of a teardown as facts ({@link import('../../contract/provider.ts').TeardownProof}). */
const proofSchema = z.object({
  gone: z.array(entrySchema),
  kept: z.array(entrySchema.extend({ policy: z.string() })),
  left: z.array(entrySchema.extend({ why: z.string() })),
});

const inputSchema = z.strictObject({
  /** What was there when the deletion was planned. */
  expected: z.array(z.strictObject({ type: z.string(), id: z.string(), name: z.string() })),
});

/** Proves that nothing with the cluster's tag is left, whatever made it; what is left is swept first. */
export const teardownProve = defineStep<z.infer<typeof inputSchema>, z.infer<typeof proofSchema>>({
  kind: 'teardown.prove',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: () => 'Prove that nothing is left',
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { expected }) {
    const ledger = await context.provider.ledger(context.cluster);
    const stray = ledger.filter((entry) => entry.policy === undefined);
    if (stray.length > 0) {
      const names = stray.map((entry) => `${entry.type} ${entry.name}`).join(', ');
      return {
        state: 'todo',
        why: `${stray.length} things with the cluster's tag are still there: ${names}`,
      };
    }
    const isThere = new Set(ledger.map((entry) => `${entry.type}/${entry.id}`));
    const gone = expected.filter((entry) => !isThere.has(`${entry.type}/${entry.id}`));
    const kept = ledger.map(({ type, id, name, policy = '' }) => ({ type, id, name, policy }));
    return { state: 'done', facts: { gone, kept, left: [] } };
  },
  async apply(context) {
    const { left } = await context.provider.sweep(context.cluster, context.signal);
    if (left.length === 0) return;
    const list = left.map(({ type, name, why }) => `${type} ${name}: ${why}`);
    throw new Blocked('TEARDOWN-001', `${left.length} things could not be removed: ${list.join('; ')}`, {
      remedy: 'Remove them at the provider or mend the reason, then resume the operation.',
    });
  },
});
