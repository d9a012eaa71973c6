import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, type ConfiguredService, observeService } from '../configured-service.ts';
import { containerdConfig, containerdUnit } from '../containerd-config.ts';
import { quick } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { paths } from '../paths.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

async function serviceOf(
  context: StepContext,
  machine: MachineRef,
  version: string,
): Promise<ConfiguredService> {
  const config = containerdConfig(minorFor(version), await declarationOf(context, machine));
  return {
    name: 'containerd',
    files: [
      { path: paths.containerdConfig, content: config, mode: 0o644 },
      { path: paths.containerdUnit, content: containerdUnit, mode: 0o644 },
    ],
    units: ['containerd.service'],
    mustRun: true,
  };
}

/** The container runtime, configured for the Kubernetes minor and for the machine's ground. */
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
