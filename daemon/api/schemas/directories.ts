import { z } from 'zod';
import { directorySettingsSchema } from '../../access/directory-settings.ts';
import { problemReportSchema } from './problem.ts';

/** What a directory is made of. */
export const directoryRequestSchema = directorySettingsSchema;

/** A directory as it was set. */
export const directoryViewSchema = z
  .object({
    name: z.string(),
    settings: directorySettingsSchema,
    principal: z.string().describe('Who set it last.'),
    updatedAt: z.string().describe('RFC 3339, UTC, milliseconds.'),
  })
  .meta({ id: 'Directory' });
export type DirectoryView = z.infer<typeof directoryViewSchema>;

/** How far a connection test came. */
export const directoryCheckSchema = z
  .object({
    isReachable: z.boolean().describe('A server with the right certificate answered.'),
    problem: problemReportSchema.exactOptional().describe('Absent when people can sign in.'),
  })
  .meta({ id: 'DirectoryCheck' });
export type DirectoryCheck = z.infer<typeof directoryCheckSchema>;
