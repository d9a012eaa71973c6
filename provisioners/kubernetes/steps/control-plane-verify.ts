import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { EtcdMember } from '../../contract/observed.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { isOfVersion } from '../cluster-health.ts';
import { accessSchema, endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { isMemberOf } from '../control-plane-state.ts';
import { proof } from '../limits.ts';

const inputSchema = z.strictObject({
  /** Masters that must be well. */
  machines: z.array(machineRefSchema).min(1),
  endpoint: endpointSchema,
  /** What their API servers must report; whatever they do when absent. */
  kubernetesVersion: z.string().exactOptional(),
  /** Masters to ask, those above among them. */
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** The members, or why nobody tells. */
async function membersOf(
  context: StepContext,
  { access }: Input,
): Promise<readonly EtcdMember[] | { readonly silent: string }> {
  try {
    return await context.etcd.members(access);
  } catch (thrown) {
    if (thrown instanceof Transient) return { silent: thrown.message };
    throw thrown;
  }
}

/** What is still lacking, one sentence each. */
async function awaited(context: StepContext, input: Input): Promise<string[]> {
  const { machines, endpoint, access, kubernetesVersion: asked } = input;
  const [members, atEndpoint, ...versions] = await Promise.all([
    membersOf(context, input),
    context.kubernetes.versionAtEndpoint(access, endpoint),
    ...machines.map((machine) => context.kubernetes.version(access, machine)),
  ]);
  const silent = machines.filter((_machine, index) => versions[index] === undefined);
  const unwell =
    'silent' in members
      ? []
      : machines.filter(
          (machine) => members.find((member) => isMemberOf(machine, member))?.healthy === false,
        );
  return [
    ...silent.map(({ name }) => `the API server on ${name} is not ready`),
    ...machines.flatMap(({ name }, index) => {
      const told = versions[index];
      const isOther = asked !== undefined && told !== undefined && !isOfVersion(told, asked);
      return isOther ? [`the API server on ${name} answers as ${told}`] : [];
    }),
    ...('silent' in members ? [`etcd does not answer (${members.silent})`] : []),
    ...unwell.map(({ name }) => `etcd on ${name} is not healthy`),
    ...(atEndpoint === undefined ? [`the API at ${endpoint.host}:${endpoint.port} does not answer`] : []),
  ];
}

/**
 * Waits until masters are well again, and the API answers where everybody asks for it: only then may the next one be
 * touched, for a balancer needs some seconds to believe in a server again.
 */
export const controlPlaneVerify = defineStep<Input, NoFacts>({
  kind: 'control-plane.verify',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machines }) =>
    machines.length === 1
      ? `See the API answer through its endpoint and on ${machines[0]?.name ?? ''}`
      : `See the API answer through its endpoint and on all ${machines.length} masters`,
  schema: inputSchema,
  limits: proof,
  async observe(context, input) {
    const lacking = await awaited(context, input);
    if (lacking.length === 0) return { state: 'done', facts: {} };
    return {
      state: 'pending',
      what: 'the control plane to be well',
      lastSeen: lacking.join('; '),
      since: context.now(),
      usually: seconds(20),
    };
  },
  async apply() {
    // There is nothing to do but to look again: it is never `todo`.
  },
});
