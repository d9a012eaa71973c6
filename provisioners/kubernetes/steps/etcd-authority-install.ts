import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { etcdAuthorityFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema });

/** etcd's own authority on a machine of etcd: of the cluster's keys it gets no other. */
export const etcdAuthorityInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'etcd-authority.install',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Install etcd's certificate authority on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine }) {
    const files = etcdAuthorityFiles(await context.secrets.clusterKeys());
    const differing = await context.file.differ(machine, files);
    if (differing.length === 0) return { state: 'done', facts: {} };
    const why = differing.map((file) => `${file.path} on ${machine.name}: ${file.why}`).join('; ');
    return { state: 'todo', why };
  },
  async apply(context, { machine }) {
    await context.file.write(machine, etcdAuthorityFiles(await context.secrets.clusterKeys()));
  },
});
