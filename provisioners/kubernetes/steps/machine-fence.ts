import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { kubeadmTraces } from '../control-plane-state.ts';
import { lengthy } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema });

/** Nothing of these may run or start again on a machine that is kept: it would come back from the dead. */
const units = ['keepalived.service', 'haproxy.service', 'kubelet.service'];

async function alive(context: StepContext, machine: MachineRef): Promise<string[]> {
  const [states, files] = await Promise.all([
    context.service.state(machine, units),
    context.file.exist(machine, kubeadmTraces),
  ]);
  return [
    ...states.filter(({ active, enabled }) => active || enabled).map(({ unit }) => unit),
    ...(files.size === 0 ? [] : [...files]),
  ];
}

/**
 * Seals off a machine that leaves the cluster and is kept for inspection: no kubelet, no static pod, no etcd data, no
 * credential, no virtual address is left on it, whatever is started there later (DESIGN §5). Logs stay.
 */
export const machineFence = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'machine.fence',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: true,
  title: ({ machine }) => `Seal ${machine.name} off and keep it`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { machine }) {
    const left = await alive(context, machine);
    return left.length === 0
      ? { state: 'done', facts: {} }
      : { state: 'todo', why: `${machine.name} could still take part: ${left.join(', ')}` };
  },
  async apply(context, { machine }) {
    for (const unit of units) await context.service.stop(machine, unit);
    await context.kubeadm.run(machine, { verb: 'reset' });
    await context.service.stop(machine, 'kubelet.service');
    await context.file.remove(machine, [paths.etcdData]);
  },
});
