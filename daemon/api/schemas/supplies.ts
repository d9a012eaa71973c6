import { z } from 'zod';
import { agentViewSchema } from './access.ts';
import { payloadSchema } from './inventory.ts';

/** What is on board, what is missing, and how to bring it. */
export const suppliesSchema = z
  .object({
    sites: z
      .array(
        z.object({
          site: z.string(),
          agent: agentViewSchema,
          payloads: z.array(payloadSchema).readonly().describe('Verified by the agent when it took them in.'),
        }),
      )
      .readonly(),
    lab: z.object({
      isPossible: z.boolean(),
      reason: z.string().exactOptional().describe('Why not.'),
    }),
    missing: z
      .array(
        z.object({
          what: z.string(),
          why: z.string(),
          remedy: z.string().describe('How to bring it.'),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'Supplies' });
export type Supplies = z.infer<typeof suppliesSchema>;
