import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { bootstrapFile, kubeletClient, kubeletUnit } from '../kubelet-bootstrap.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, endpoint: endpointSchema });

/** A kubelet that cannot start ends within seconds, and systemd starts it again after ten. */
const steady = seconds(30);

/**
 * Lets the kubelet of a master start although its own certificate has run out: without it nothing of the control plane
 * starts there. What it asks with is taken away again by kubelet-client.renew.
 */
export const kubeletRevive = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet.revive',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Let the kubelet of ${machine.name} start although its certificate has run out`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, endpoint }) {
    const own = await kubeletClient(context, machine);
    if (own?.isOver !== true) return { state: 'done', facts: {} };
    const [different, [kubelet]] = await Promise.all([
      context.file.differ(machine, [await bootstrapFile(context, endpoint)]),
      context.service.state(machine, [kubeletUnit]),
    ]);
    const age =
      kubelet?.active === true ? Date.parse(context.now()) - Date.parse(kubelet.since ?? context.now()) : 0;
    // One that has run since before needs nothing yet, and is not disturbed.
    if (age > steady || (different.length === 0 && kubelet?.active === true))
      return { state: 'done', facts: {} };
    return { state: 'todo', why: `the client certificate of the kubelet ended on ${own.notAfter}` };
  },
  async apply(context, { machine, endpoint }) {
    await context.file.write(machine, [await bootstrapFile(context, endpoint)]);
    await context.service.restart(machine, kubeletUnit);
  },
});
