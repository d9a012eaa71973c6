import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

/** Removes what {@link infrastructurePrepare} made. */
export const infrastructureRemove = defineStep<Record<string, never>, NoFacts>({
  kind: 'infrastructure.remove',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: () => 'Remove the infrastructure',
  schema: z.strictObject({}),
  limits: lengthy,
  async observe(context) {
    const seen = await context.provider.infrastructure.observe(context.cluster, undefined);
    if (seen.state === 'absent') return { state: 'done', facts: {} };
    return { state: 'todo', why: seen.detail };
  },
  apply: (context) => context.provider.infrastructure.remove(context.cluster, context.signal),
});
