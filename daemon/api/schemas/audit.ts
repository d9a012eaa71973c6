import { z } from 'zod';
import { auditReceiverSchema } from '../../access/audit-receiver.ts';
import { problemReportSchema } from './problem.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');
const instant = z.string().describe('RFC 3339, UTC, milliseconds.');

/** Where rows of the audit trail go. */
export const auditReceiverRequestSchema = auditReceiverSchema;

export const auditReceiverViewSchema = z
  .object({
    name: z.string(),
    settings: auditReceiverSchema,
    principal: z.string().describe('Who set it last.'),
    updatedAt: instant,
    position: z.int().describe('Number of the last row that it has.'),
    lag: z.int().describe('Rows that wait for it.'),
    deliveredAt: instant.exactOptional(),
    problem: problemReportSchema.exactOptional().describe('Why the last delivery did not come about.'),
  })
  .meta({ id: 'AuditReceiver' });
export type AuditReceiverView = z.infer<typeof auditReceiverViewSchema>;

/** A row that somebody keeps elsewhere, to hold the trail against. */
export const auditAgainstSchema = z.object({
  number: z.coerce.number().int().min(0).exactOptional(),
  hash: hash.exactOptional(),
});

export const auditVerificationSchema = z
  .object({
    isWhole: z.boolean(),
    rows: z.int(),
    head: z
      .object({ number: z.int(), hash })
      .describe('Keep it elsewhere, to hold the trail against it later.'),
    firstBroken: z.int().exactOptional().describe('Number of the first row that does not fit.'),
    against: z
      .object({ number: z.int(), verdict: z.enum(['matches', 'missing', 'differs']) })
      .exactOptional(),
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerification = z.infer<typeof auditVerificationSchema>;
