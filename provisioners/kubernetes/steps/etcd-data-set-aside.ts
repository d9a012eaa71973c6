import { z } from 'zod';
import { restoreKeySchema } from '../../contract/etcd-data.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepLimits } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import type { NoFacts } from '../cluster-settings.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, restore: restoreKeySchema });

/** A rename; a copy of some gigabytes where etcd has a disk of its own. */
const limits: StepLimits = { soft: minutes(2), hard: minutes(60), attempts: 5 };

/**
 * Moves etcd's data of one master to where nothing starts it, under the name of the restore. It is kept; who wants the
 * room removes it by hand. An act: it is done once, and never to the data that comes after.
 */
export const etcdDataSetAside = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'etcd-data.set-aside',
  version: 1,
  nature: 'act',
  phase: 'control plane',
  destructive: true,
  title: ({ machine }) => `Move etcd's data on ${machine.name} aside, and keep it`,
  schema: inputSchema,
  limits,
  async observe(context, { machine, restore }) {
    const { isSetAside, hasData } = await context.etcdData.look(machine, restore);
    if (isSetAside) return { state: 'done', facts: {} };
    const why = hasData
      ? `etcd on ${machine.name} would start from its former data`
      : 'it was not looked for';
    return { state: 'todo', why };
  },
  async apply(context, { machine, restore }) {
    await context.etcdData.setAside(machine, restore);
    context.log(`the former data of etcd is kept in /var/lib/remuda/restore/${restore}/etcd`, machine.name);
  },
});
