import { z } from 'zod';

/** Where in the user's words a problem sits; see the contract's `Place`. */
const placeSchema = z.object({
  file: z.string().exactOptional(),
  document: z.string().exactOptional(),
  field: z.string().exactOptional(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
  confidential: z.boolean().exactOptional().describe('The line may hold a secret: do not show it.'),
});

/** A problem as data. */
export const problemReportSchema = z
  .object({
    kind: z.enum(['user', 'blocked', 'transient', 'fault']),
    code: z.string().describe('Stable short code, documented in the manual.'),
    summary: z.string(),
    remedy: z.string().exactOptional(),
    place: placeSchema.exactOptional(),
    value: z.string().exactOptional(),
    machine: z.string().exactOptional(),
    command: z.string().exactOptional(),
    lastLines: z.array(z.string()).readonly().exactOptional(),
  })
  .meta({ id: 'ProblemReport' });

/** The body of every answer that is not a success: RFC 9457, with our own reports beside its fields. */
export const problemDetailsSchema = z
  .object({
    type: z.string().describe('`urn:remuda:problem:<code>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().describe('Id of the request, also in the daemon’s log.'),
    reason: z
      .enum([
        'invalid',
        'not-found',
        'conflict',
        'needs-confirmation',
        'plan-changed',
        'unavailable',
        'unauthenticated',
        'second-factor',
        'forbidden',
        'too-large',
        'too-many',
        'method',
        'fault',
      ])
      .describe('What kind of refusal it is; clients decide by this.'),
    problems: z.array(problemReportSchema).readonly(),
    changes: z.array(z.string()).readonly().describe('What differs from the reviewed plan.'),
  })
  .meta({ id: 'ProblemDetails' });
export type ProblemDetails = z.infer<typeof problemDetailsSchema>;

/** Answer of `validate`. */
export const validationSchema = z
  .object({ problems: z.array(problemReportSchema).readonly() })
  .meta({ id: 'Validation' });

/** Answer of the probes. */
export const probeSchema = z.object({ status: z.enum(['ok', 'not ready']) }).meta({ id: 'Probe' });
