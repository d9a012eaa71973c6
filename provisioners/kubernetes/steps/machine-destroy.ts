import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

/** Removes one machine with its disks. The provider answers only when it is proven gone: that is the fence. */
export const machineDestroy = defineStep<{ name: string }, NoFacts>({
  kind: 'machine.destroy',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: ({ name }) => `Destroy the machine ${name}`,
  schema: z.strictObject({ name: z.string() }),
  limits: lengthy,
  async observe(context, { name }) {
    const machines = await context.provider.machines.list(context.cluster);
    const machine = machines.find((candidate) => candidate.name === name);
    if (machine === undefined) return { state: 'done', facts: {} };
    return { state: 'todo', why: `${name} is there (${machine.state})` };
  },
  apply: (context, { name }) => context.provider.machines.destroy(context.cluster, name, context.signal),
});
