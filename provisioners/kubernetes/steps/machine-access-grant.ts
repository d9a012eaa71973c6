import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  /** The user's secret whose key `privateKey` may log in until ours may. */
  login: z.strictObject({ secretRef: z.string() }),
  /** The cluster's own SSH key, its public half. */
  publicKey: z.string(),
  /** Whoever kept the cluster before may log in no more. */
  locksOut: z.boolean(),
});

const ownerOf = ({ cluster }: StepContext): FileContent => ({
  path: paths.owner,
  content: `${cluster.uid}\n`,
  mode: 0o644,
});

/** Lets Remuda into a machine that somebody else has made, or that was lost, and marks whose it is. */
export const machineAccessGrant = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'machine-access.grant',
  version: 1,
  nature: 'ensure',
  phase: 'machines',
  destructive: false,
  title: ({ machine }) => `Let Remuda into ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, publicKey }) {
    if (!(await context.host.admits?.(machine, publicKey)))
      return { state: 'todo', why: `${machine.name} does not let the cluster's key log in yet` };
    const [differing] = await context.file.differ(machine, [ownerOf(context)]);
    if (differing === undefined) return { state: 'done', facts: {} };
    return { state: 'todo', why: `${machine.name} does not bear the mark of its cluster` };
  },
  async apply(context, { machine, login, publicKey, locksOut }) {
    const { host } = context;
    if (host.admit === undefined)
      throw new Blocked('ADOPT-020', 'This agent cannot let itself into machines of others.', {
        remedy: 'Update the agent.',
      });
    if (!(await host.admits?.(machine, publicKey))) {
      const privateKey = await context.secrets.value(login.secretRef, 'privateKey');
      await host.admit(machine, { privateKey, publicKey, locksOut });
    }
    await context.file.write(machine, [ownerOf(context)]);
  },
});
