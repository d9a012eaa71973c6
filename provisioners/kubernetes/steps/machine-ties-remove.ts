import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

/**
 * What Remuda alone reads on a machine: whose it is, which of its agents was there last, its own programs and what they
 * left. All that Kubernetes, containerd, keepalived and haproxy are started from stays: it is the cluster's own.
 */
export const machineTies = [
  paths.owner,
  '/var/lib/remuda/epoch',
  '/var/lib/remuda/units',
  '/var/lib/remuda/payload',
  paths.kubeadmConfig,
  paths.discovery,
] as const;

/** Marks of Remuda on a machine whose cluster is given away. */
export const machineTiesRemove = defineStep<{ machine: MachineRef }, NoFacts>({
  kind: 'machine-ties.remove',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  title: ({ machine }) => `Remove Remuda's marks from ${machine.name}`,
  schema: z.strictObject({ machine: machineRefSchema }),
  limits: quick,
  async observe(context, { machine }) {
    const there = await context.file.exist(machine, [...machineTies]);
    if (there.size === 0) return { state: 'done', facts: {} };
    return { state: 'todo', why: `${[...there].join(', ')} on ${machine.name} are Remuda's own` };
  },
  apply: (context, { machine }) => context.file.remove(machine, [...machineTies]),
});
