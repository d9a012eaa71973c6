import { z } from 'zod';
import { problemReportSchema } from './problem.ts';

/** One backup of a cluster. */
const backupSchema = z
  .object({
    id: z.string(),
    place: z.string().describe('In words: where it lies.'),
    at: z.string().describe('When it was made.'),
    bytes: z.int().describe('Of the snapshot in it.'),
    revision: z.int().describe('Every write up to this revision of etcd is in it.'),
    member: z.string().describe('Member of etcd that gave it.'),
    kubernetesVersion: z.string(),
    standing: z
      .enum(['good', 'changed', 'unknown', 'missing', 'unseen'])
      .describe(
        '`good`: it lies there as the journal says it was written. `changed`: the journal knows another file under that name. `unknown`: this journal never made it. `missing`: the newest the journal knows of, and it is not there. `unseen`: the journal knows it, and the place could not be asked.',
      ),
  })
  .meta({ id: 'Backup' });

/** Removal of one by hand. */
export const backupRemovalSchema = z
  .strictObject({
    confirm: z.string().max(100).exactOptional().describe("The backup's id once more."),
    mayBeLast: z
      .boolean()
      .default(false)
      .describe('Also when no other backup is left that could be restored.'),
  })
  .meta({ id: 'BackupRemoval' });

/** What lies where a cluster's backups go, beside what the journal knows. */
export const backupListSchema = z
  .object({
    cluster: z.string(),
    backups: z.array(backupSchema).readonly(),
    places: z
      .array(z.object({ place: z.string(), problem: problemReportSchema.exactOptional() }))
      .readonly()
      .describe('Every place that was asked; with a problem when it could not be.'),
    lastSuccessAt: z.string().exactOptional().describe('When the newest was finished.'),
    nextAt: z.string().exactOptional().describe('When the next begins by schedule; in the past: it is due.'),
  })
  .meta({ id: 'BackupList' });
export type BackupList = z.infer<typeof backupListSchema>;
