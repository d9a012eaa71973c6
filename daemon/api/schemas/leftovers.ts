import { z } from 'zod';

/** Something that a deleted cluster had, and that is still there or may be. */
export const leftoverSchema = z
  .object({
    cluster: z.string().describe('Name of the cluster that is gone.'),
    uid: z.string().describe('What tags everything that was made for it.'),
    provider: z.string(),
    operation: z.string().describe('The operation that deleted it.'),
    principal: z.string().describe('Who asked for that.'),
    at: z.iso.datetime().describe('When its deletion was over.'),
    list: z.enum(['kept', 'left']),
    type: z.string(),
    id: z.string().describe("In the provider's words: what to look for there."),
    name: z.string(),
    why: z.string().describe('The policy that keeps it, or why it is left.'),
  })
  .meta({ id: 'Leftover' });
export type LeftoverView = z.infer<typeof leftoverSchema>;
