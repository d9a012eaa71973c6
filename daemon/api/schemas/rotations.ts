import { z } from 'zod';

/** One stage of a rotation of a cluster's authorities, and its plan. */
export const rotationRequestSchema = z
  .strictObject({
    stage: z
      .enum(['trust', 'reissue', 'drop'])
      .describe(
        '`trust`: everybody believes a new authority beside the old one; `reissue`: the new one signs everything anew; `drop`: nobody believes the old one any more.',
      ),
    endsCredentials: z
      .boolean()
      .default(false)
      .describe('With `drop`: certificates that people were given under the old authority end at once.'),
    bypass: z.array(z.string().max(63)).max(100).default([]).describe('Ids of preflight checks to bypass.'),
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z.string().max(63).exactOptional().describe("The cluster's name, where the plan needs it."),
  })
  .meta({ id: 'RotationRequest' });
