import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  kubernetesVersion: z.string(),
  role: z.enum(['control-plane', 'worker']),
});

/**
 * Brings a machine the images of another version and the kubeadm that makes it one of that version, beside what runs:
 * nothing that runs, or would start after a reboot, is another one by that.
 */
export const payloadStage = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'payload.stage',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine, kubernetesVersion }) =>
    `Bring Kubernetes ${kubernetesVersion} to ${machine.name}, beside what runs there`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { machine, kubernetesVersion, role }) {
    const seen = await context.payload.observe(machine, kubernetesVersion, role, 'beside');
    if (seen.state === 'present') return { state: 'done', facts: {} };
    if (seen.state === 'absent') return { state: 'todo', why: `not there yet: ${seen.missing.join(', ')}` };
    const what = `the payload to be brought to ${machine.name}`;
    const lastSeen = seen.lastLine === '' ? 'it has printed nothing yet' : seen.lastLine;
    return { state: 'pending', what, lastSeen, since: seen.since, usually: seconds(30) };
  },
  apply: (context, { machine, kubernetesVersion, role }) =>
    context.payload.install(machine, kubernetesVersion, role, 'beside'),
});
