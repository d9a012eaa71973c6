import { z } from 'zod';
import { Blocked } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

/** Takes the cluster's machines (back) at their provider: from then on they are made, switched and removed by Remuda. */
export const providerClaim = defineStep<Record<string, never>, NoFacts>({
  kind: 'provider.claim',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  title: () => 'Take the machines over at the provider',
  schema: z.strictObject({}),
  limits: quick,
  async observe(context) {
    const { ownership } = context.provider;
    const state = (await ownership?.observe(context.cluster)) ?? 'ours';
    if (state === 'ours') return { state: 'done', facts: {} };
    if (state === 'released') return { state: 'todo', why: 'the machines were given away' };
    throw new Blocked('ADOPT-021', 'The provider has no machine of this cluster any more.', {
      remedy: 'Look what became of its machines; then resume the operation or cancel it.',
    });
  },
  async apply(context) {
    await context.provider.ownership?.claim(context.cluster);
  },
});
