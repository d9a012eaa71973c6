import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import { quick } from '../limits.ts';

const keptSchema = z.array(
  z.object({ type: z.string(), id: z.string(), name: z.string(), policy: z.string() }),
);

/** What stays at the provider on purpose, and by which policy. */
interface Facts {
  readonly [key: string]: z.infer<typeof keptSchema>;
  readonly kept: z.infer<typeof keptSchema>;
}

/** Gives the cluster's machines away at their provider: none of Remuda's calls changes or sweeps them from then on. */
export const providerRelease = defineStep<Record<string, never>, Facts>({
  kind: 'provider.release',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: false,
  title: () => 'Give the machines away at the provider',
  schema: z.strictObject({}),
  limits: quick,
  async observe(context) {
    const { ownership } = context.provider;
    const state = (await ownership?.observe(context.cluster)) ?? 'released';
    if (state === 'ours') return { state: 'todo', why: 'the machines are still tagged as ours to remove' };
    const ledger = await context.provider.ledger(context.cluster);
    const kept = ledger.map(({ type, id, name, policy = 'ejected' }) => ({ type, id, name, policy }));
    return { state: 'done', facts: { kept } };
  },
  async apply(context) {
    await context.provider.ownership?.release(context.cluster);
  },
});
