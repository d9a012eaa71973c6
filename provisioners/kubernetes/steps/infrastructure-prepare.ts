import { z } from 'zod';
import { nodeNetworkSchema } from '../../contract/provider.ts';
import { defineStep } from '../../contract/step.ts';
import { lengthy } from '../limits.ts';

/** Makes what the machines stand in: the lab's bridge, a VPC, a folder. */
export const infrastructurePrepare = defineStep({
  kind: 'infrastructure.prepare',
  version: 1,
  nature: 'ensure',
  phase: 'infrastructure',
  destructive: false,
  title: () => 'Prepare the infrastructure',
  schema: z.strictObject({ network: nodeNetworkSchema.optional() }),
  limits: lengthy,
  async observe(context, { network }) {
    const seen = await context.provider.infrastructure.observe(context.cluster, network);
    if (seen.state === 'present')
      return {
        state: 'done',
        /** Address that the provider keeps for the API server; empty where it does not choose one. */
        facts: { endpointHost: seen.endpointHost ?? '' },
      };
    if (seen.state === 'partial') return { state: 'broken', why: seen.detail };
    return { state: 'todo', why: seen.detail };
  },
  apply: (context, { network }) =>
    context.provider.infrastructure.prepare(context.cluster, network, context.signal),
});
