import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema });

/** The cluster's own authorities, made in the agent, where kubeadm looks for them. */
export const pkiInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'pki.install',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Install the certificate authorities on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine }) {
    const differing = await context.file.differ(machine, pkiFiles(await context.secrets.clusterKeys()));
    if (differing.length === 0) return { state: 'done', facts: {} };
    const why = differing.map((file) => `${file.path} on ${machine.name}: ${file.why}`).join('; ');
    return { state: 'todo', why };
  },
  async apply(context, { machine }) {
    await context.file.write(machine, pkiFiles(await context.secrets.clusterKeys()));
  },
});
