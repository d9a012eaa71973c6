import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, type ConfiguredService, observeService } from '../configured-service.ts';
import { containerdFiles } from '../containerd-config.ts';
import { quick } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

async function serviceOf(
  context: StepContext,
  machine: MachineRef,
  version: string,
): Promise<ConfiguredService> {
  return {
    name: 'containerd',
    files: containerdFiles(minorFor(version), await declarationOf(context, machine)),
    units: ['containerd.service'],
    mustRun: true,
  };
}

/**
 * The container runtime, configured for the Kubernetes minor and for the machine's ground. Its files are there already
 * where kubelet.install has been; they are looked at all the same.
 */
export const containerdStart = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'containerd.start',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine }) => `Start containerd on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, kubernetesVersion }) {
    return observeService(context, machine, await serviceOf(context, machine, kubernetesVersion));
  },
  async apply(context, { machine, kubernetesVersion }) {
    await applyService(context, machine, await serviceOf(context, machine, kubernetesVersion));
  },
});
