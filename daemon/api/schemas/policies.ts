import { z } from 'zod';
import { problemReportSchema } from './problem.ts';

/** A policy in force. */
export const policyViewSchema = z
  .object({
    name: z.string(),
    source: z.enum(['shipped', 'applied']).describe('Whether it came with Remuda or somebody applied it.'),
    document: z.record(z.string(), z.unknown()).describe('The whole `kind: Policy` document.'),
    principal: z.string().exactOptional(),
    updatedAt: z.string().exactOptional().describe('RFC 3339, UTC, milliseconds.'),
  })
  .meta({ id: 'Policy' });
export type PolicyView = z.infer<typeof policyViewSchema>;

/** What policies say of clusters. */
export const policyTestSchema = z
  .object({
    problems: z.array(problemReportSchema).readonly().describe('Of the file; nothing was tried then.'),
    verdicts: z
      .array(
        z.object({
          policy: z.string(),
          cluster: z.string(),
          operation: z.enum(['CREATE', 'UPDATE', 'DELETE']).describe('What was judged.'),
          outcome: z.enum(['passes', 'warns', 'denies']),
          objections: z.array(problemReportSchema).readonly(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'PolicyTest' });
export type PolicyTest = z.infer<typeof policyTestSchema>;

/** Policies to try; an empty text tries those in force. */
export const policyTestRequestSchema = z
  .strictObject({
    text: z
      .string()
      .max(2 * 1024 * 1024)
      .default(''),
    file: z.string().max(1000).default('-').describe('Name for messages.'),
  })
  .meta({ id: 'PolicyTestRequest' });
