import { z } from 'zod';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  /** Name of a machine that was sealed off before: nothing of it may come back when somebody switches it on. */
  name: z.string(),
});

/** Switches a sealed-off machine off and keeps it with its disks: the way back of an upgrade (DESIGN §6). */
export const machineStop = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'machine.stop',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: true,
  title: ({ name }) => `Switch ${name} off and keep it`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { name }) {
    const machines = await context.provider.machines.list(context.cluster);
    const machine = machines.find((one) => one.name === name);
    if (machine === undefined || machine.state === 'off') return { state: 'done', facts: {} };
    return { state: 'todo', why: `${name} is ${machine.state}` };
  },
  async apply(context, { name }) {
    await context.provider.machines.power(context.cluster, name, 'off');
  },
});
