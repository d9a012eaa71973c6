import { z } from 'zod';

/** Something at a provider that bears the tag of a cluster which is none of this Remuda's. */
export const straySchema = z
  .object({
    uid: z.string().describe('What tags everything that was made for it.'),
    name: z.string().describe('Name of its cluster; one of ours may be called the same.'),
    provider: z.string(),
    isReleased: z.boolean().describe('It was given away and lives on: shown, and never touched.'),
    things: z
      .array(z.object({ type: z.string(), id: z.string(), name: z.string() }))
      .readonly()
      .describe("What is there, in the provider's words."),
    forgottenAt: z.iso
      .datetime()
      .exactOptional()
      .describe('Until when this Remuda knew it; absent when it never did.'),
    operation: z.string().exactOptional().describe('The operation that is at work on it now.'),
  })
  .meta({ id: 'StrayCluster' });
export type Stray = z.infer<typeof straySchema>;

/** Everything of that kind, and whom nobody could ask. */
export const strayListSchema = z
  .object({
    strays: z.array(straySchema).readonly(),
    unseen: z
      .array(z.object({ provider: z.string(), why: z.string() }))
      .readonly()
      .describe('Providers that could not be asked: what they hold is not known.'),
  })
  .meta({ id: 'StrayList' });

/** Which provider; all of them without one. */
export const strayQuerySchema = z.strictObject({ provider: z.string().max(63).exactOptional() });

/** `sweep`, and its plan. */
export const sweepRequestSchema = z
  .strictObject({
    bypass: z.array(z.string()).max(0).default([]).describe('There is no check to bypass.'),
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z.string().max(63).exactOptional().describe("The cluster's name."),
  })
  .meta({ id: 'SweepRequest' });
