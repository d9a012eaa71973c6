import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { applyService, observeService } from '../configured-service.ts';
import { type EndpointServers, endpointServersSchema, endpointService } from '../endpoint-service.ts';
import { quick } from '../limits.ts';
import { endpointMark, readMarks, setMark } from '../marks.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
  /** Every master, none of which leaves. */
  machines: z.array(machineRefSchema).min(1),
  servers: endpointServersSchema,
});
type Input = z.infer<typeof inputSchema>;

/** What the mark says when the endpoint serves exactly these masters. */
export const endpointDigest = ({ masters, endpoint, apiPort }: EndpointServers): string =>
  createHash('sha256')
    .update(
      JSON.stringify([masters.map(({ name, address }) => [name, address]).toSorted(), endpoint, apiPort]),
    )
    .digest('hex')
    .slice(0, 16);

/** The first machine that serves others than it should. */
async function firstUnsettled(
  context: StepContext,
  { machines, servers }: Input,
): Promise<{ readonly machine: MachineRef; readonly why: string } | undefined> {
  for (const machine of machines) {
    const service = await endpointService(context, machine, servers);
    const seen = await observeService(context, machine, service);
    if (seen.state !== 'done') return { machine, why: 'why' in seen ? seen.why : seen.state };
  }
  return undefined;
}

/**
 * Makes the endpoint forget masters that have left. An address that is free again may be given to somebody else, whose
 * API server would then be asked for this cluster's answers. One master after another; the mark is set when all have.
 */
export const endpointSettle = defineStep<Input, NoFacts>({
  kind: 'endpoint.settle',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  title: ({ servers }) =>
    `Let ${servers.endpoint.host} serve ${servers.masters.map(({ name }) => name).join(', ')} alone`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const [unsettled, marks] = await Promise.all([
      firstUnsettled(context, input),
      readMarks(context, input.access),
    ]);
    if (unsettled !== undefined) return { state: 'todo', why: unsettled.why };
    if (marks[endpointMark] === endpointDigest(input.servers)) return { state: 'done', facts: {} };
    return { state: 'todo', why: 'the cluster does not say yet which masters its address serves' };
  },
  async apply(context, input) {
    for (const machine of input.machines)
      await applyService(context, machine, await endpointService(context, machine, input.servers));
    await setMark(context, input.access, endpointMark, endpointDigest(input.servers));
  },
});
