import { z } from 'zod';
import { nodeNetworkSchema } from '../../contract/provider.ts';
import { defineStep } from '../../contract/step.ts';
import { untilMended } from '../limits.ts';
import { type FindingsFacts, judge } from '../preflight/findings.ts';

const inputSchema = z.strictObject({
  /** Everything the cluster will ask of its provider at the peak of this plan (row H5). */
  machines: z.array(
    z.strictObject({
      name: z.string(),
      cpus: z.int().positive(),
      memory: z.int().positive(),
      address: z.string().exactOptional(),
    }),
  ),
  network: nodeNetworkSchema.optional(),
  /** Ids of checks the user chose to bypass; strict ones stay strict. */
  bypass: z.array(z.string()),
});

/** Capacity, permissions and named objects at the provider, before anything is made (row H5). */
export const providerPreflight = defineStep<z.infer<typeof inputSchema>, FindingsFacts>({
  kind: 'provider.preflight',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machines: { length } }) =>
    `Check the provider's room for ${length} machine${length === 1 ? '' : 's'}`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, { machines, network, bypass }) {
    const findings = await context.provider.preflight({
      cluster: context.cluster,
      machines,
      ...(network === undefined ? {} : { nodeNetwork: network }),
    });
    return judge(findings, bypass);
  },
  apply: () => Promise.reject(new Error('provider.preflight has nothing to apply')),
});
