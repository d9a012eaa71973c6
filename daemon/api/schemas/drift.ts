import { z } from 'zod';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');

/** What of a cluster is not as its document asks, as the deep look found it. */
export const driftSchema = z
  .object({
    cluster: z.string(),
    at: instant.describe('When it was looked at.'),
    checked: z.int().describe('Steps that were looked at.'),
    items: z
      .array(
        z.object({
          step: z.string().describe('The step that would bring it about.'),
          kind: z.string(),
          subject: z.string().describe('Machine name, or `cluster`.'),
          title: z.string(),
          state: z
            .enum(['different', 'unsettled', 'unknown'])
            .describe('`unsettled`: under way by itself just now; `unknown`: it could not be looked at.'),
          differences: z.array(z.string()).readonly().describe('One sentence each.'),
          since: instant.describe('When it was seen so first.'),
          remedy: z.object({
            by: z.enum(['apply', 'replace', 'person']).describe('Who mends it.'),
            what: z.string(),
          }),
        }),
      )
      .readonly(),
    unmet: z.array(z.string()).readonly().describe('Machines that are gone, or were never met.'),
  })
  .meta({ id: 'Drift' });
export type DriftView = z.infer<typeof driftSchema>;

/** The last look; nothing when nobody has looked since something was done to the cluster. */
export const lastDriftSchema = z.object({ drift: driftSchema.omit({ unmet: true }).exactOptional() });
export type LastDrift = z.infer<typeof lastDriftSchema>;
