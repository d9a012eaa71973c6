import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { apiServerFiles } from '../hardening.ts';
import { quick } from '../limits.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

async function filesOf(context: StepContext, version: string): Promise<FileContent[]> {
  const { encryptionKey } = await context.secrets.clusterKeys();
  return apiServerFiles(minorFor(version), encryptionKey);
}

/** The files the API server's hardened flags name: audit policy, encryption of secrets, admission, authentication. */
export const apiServerConfigure = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'api-server.configure',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Lay out the API server's policies on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, kubernetesVersion }) {
    const differing = await context.file.differ(machine, await filesOf(context, kubernetesVersion));
    if (differing.length === 0) return { state: 'done', facts: {} };
    const why = differing.map((file) => `${file.path} on ${machine.name}: ${file.why}`).join('; ');
    return { state: 'todo', why };
  },
  async apply(context, { machine, kubernetesVersion }) {
    await context.file.write(machine, await filesOf(context, kubernetesVersion));
  },
});
