import { z } from 'zod';
import { planAnswerSchema } from './plan.ts';

/** `restore`, and its plan. */
export const restoreRequestSchema = z
  .strictObject({
    from: z
      .enum(['backup', 'survivor'])
      .default('backup')
      .describe(
        '`survivor`: the data of a master, or of a machine of etcd, that is left when the majority is gone for ever.',
      ),
    backup: z
      .string()
      .max(63)
      .exactOptional()
      .describe('Id of the backup; the newest that the journal knows when left out.'),
    survivor: z
      .string()
      .max(63)
      .exactOptional()
      .describe('The master, or the machine of etcd, that is left, where several answer.'),
    lost: z
      .array(z.string().max(63))
      .max(20)
      .default([])
      .describe('Masters and machines of etcd that do not answer and never will: they are destroyed first.'),
    acceptsUnknown: z
      .boolean()
      .default(false)
      .describe('The backup may be one that the journal knows nothing of.'),
    bypass: z.array(z.string().max(63)).max(100).default([]).describe('Ids of preflight checks to bypass.'),
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z.string().max(63).exactOptional().describe("The cluster's name."),
  })
  .meta({ id: 'RestoreRequest' });
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

/** Answer of `restore-plan`. */
export const restorePlanAnswerSchema = planAnswerSchema
  .extend({
    loss: z
      .array(z.string())
      .readonly()
      .describe('What is lost as it stands now, in sentences; the texts of the plans say it too.'),
  })
  .meta({ id: 'RestorePlanAnswer' });
export type RestorePlanAnswer = z.infer<typeof restorePlanAnswerSchema>;
