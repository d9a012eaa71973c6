import { z } from 'zod';

const kind = z.enum(['secret', 'cluster-keys']);
const recipient = z.string().regex(/^age1[a-z0-9]{20,200}$/, 'must be an age recipient (age1…)');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<hex>');
/** A secret of the greatest allowed length grows by a third under armour. */
const sealed = z
  .string()
  .max(8 * 1024 * 1024)
  .regex(/^-----BEGIN AGE ENCRYPTED FILE-----\n/, 'must be an age file with text armour');

/** What a site's agent must be able to open, sealed as it is kept. */
export const sealedStoreSchema = z
  .object({
    site: z.string(),
    agent: recipient.describe("Recipient of the site's agent, as it enrolled."),
    recovery: recipient.describe('Recipient of the recovery key.'),
    items: z
      .array(
        z.object({
          kind,
          name: z.string(),
          sealed: z.string(),
          digest,
          recipients: z.array(recipient).readonly().describe('To seal to, besides the recovery key.'),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'SealedStore' });
export type SealedStore = z.infer<typeof sealedStoreSchema>;

export const resealRequestSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          kind,
          name: z.string().max(253),
          sealed,
          digest: digest.describe('Of the sealed text it takes the place of.'),
        }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'ResealRequest' });

export const resealAnswerSchema = z
  .object({
    resealed: z.int(),
    changedSince: z.array(z.string()).readonly().describe('Left as they are: given anew meanwhile.'),
  })
  .meta({ id: 'ResealAnswer' });
