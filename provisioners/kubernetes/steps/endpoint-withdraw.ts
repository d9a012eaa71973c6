import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema });

/** In the order they are stopped: the address goes first, so that nobody is sent to a balancer that is not there. */
const units = ['keepalived.service', 'haproxy.service'];

async function serving(context: StepContext, machine: MachineRef): Promise<string[]> {
  const states = await context.service.state(machine, units);
  return states.filter(({ active, enabled }) => active || enabled).map(({ unit }) => unit);
}

/** A master that leaves gives the cluster's address up while it is well, so that another holds it within a second. */
export const endpointWithdraw = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'endpoint.withdraw',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  disrupts: true,
  title: ({ machine }) => `Serve the cluster's address from ${machine.name} no longer`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine }) {
    const left = await serving(context, machine);
    return left.length === 0
      ? { state: 'done', facts: {} }
      : { state: 'todo', why: `${left.join(', ')} may serve the address on ${machine.name}` };
  },
  async apply(context, { machine }) {
    for (const unit of units) await context.service.stop(machine, unit);
  },
});
