import { z } from 'zod';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');

/** Somebody who has a draft open just now. */
export const draftViewerSchema = z
  .object({ id: z.string(), name: z.string(), since: instant })
  .meta({ id: 'DraftViewer' });
export type DraftViewer = z.infer<typeof draftViewerSchema>;

/** An answer file that is not applied yet, in lists. */
export const draftViewSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    step: z.string().describe('Page of the wizard that it stands at.'),
    owner: z.string().describe('Id of the principal.'),
    isShared: z.boolean().describe('Others see and change it, from the global role viewer on.'),
    revision: z.int(),
    updatedAt: instant,
    updatedBy: z.string(),
    openedBy: z.array(draftViewerSchema).readonly(),
  })
  .meta({ id: 'DraftView' });
export type DraftView = z.infer<typeof draftViewSchema>;

/** A draft with its text. The ETag is its revision. */
export const draftSchema = draftViewSchema.extend({ text: z.string() }).meta({ id: 'Draft' });
export type Draft = z.infer<typeof draftSchema>;

/** Header If-Match: the revision that was read; 0 = there must be none yet. */
export const draftRequestSchema = z
  .strictObject({
    title: z.string().max(200),
    text: z.string().max(1024 * 1024),
    step: z.string().max(63),
    isShared: z.boolean().exactOptional(),
  })
  .meta({ id: 'DraftRequest' });

/** Who has a draft open: sent on the live connection as `draft.presence` when it changes. */
export const draftPresenceSchema = z
  .object({ draft: z.string(), who: z.array(draftViewerSchema).readonly() })
  .meta({ id: 'DraftPresence' });
export type DraftPresence = z.infer<typeof draftPresenceSchema>;
