import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { complaintOf, isOfVersion } from '../cluster-health.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { proof } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  role: z.enum(['control-plane', 'worker']),
  /** With the `v`. */
  kubernetesVersion: z.string(),
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** What a new machine lacks of doing the work of the one that it replaces; undefined when it does. */
async function lackOf(context: StepContext, input: Input): Promise<string | undefined> {
  const { machine, role, kubernetesVersion, access } = input;
  const [node, version] = await Promise.all([
    nodeOf(context, access, machine.name),
    role === 'control-plane' ? context.kubernetes.version(access, machine) : undefined,
  ]);
  if (node === undefined) return `the Node ${machine.name} is not there`;
  const complaint = complaintOf(node);
  if (complaint !== undefined) return complaint;
  if (role === 'worker' || isOfVersion(version, kubernetesVersion)) return undefined;
  return version === undefined
    ? `the API server on ${machine.name} is not ready`
    : `the API server on ${machine.name} answers as ${version}`;
}

/**
 * Sees that a new machine does its work, before the one that it replaces may leave: its Node is Ready, and of a master
 * its API server reports the version that is asked for (DESIGN §6). Changes nothing.
 */
export const nodeVerify = defineStep<Input, NoFacts>({
  kind: 'node.verify',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ machine }) => `See that ${machine.name} does its work`,
  schema: inputSchema,
  limits: proof,
  async observe(context, input) {
    const lack = await lackOf(context, input);
    if (lack === undefined) return { state: 'done', facts: {} };
    return {
      state: 'pending',
      what: `${input.machine.name} to do its work, before another machine leaves`,
      lastSeen: lack,
      since: context.now(),
      usually: seconds(30),
    };
  },
  // Nothing is ever to be done: who does not come up is for a person, or for the step that made it.
  apply: () => Promise.resolve(),
});
