import { z } from 'zod';
import { healthConditionSchema, healthNumbersSchema } from '../../provisioners/contract/health.ts';

/** An agent is known by its certificate, not trusted with the shape of its words: they are checked before use. */
const keySchema = z.object({
  operation: z.string().max(200),
  step: z.string().max(400),
  attempt: z.int().positive(),
});

const reportedConditionSchema = healthConditionSchema.strip().extend({ since: z.iso.datetime() });

/** The hello of an agent. */
export const helloSchema = z.object({
  protocol: z.int(),
  release: z.string().max(100),
  site: z.string().max(100),
  epoch: z.int(),
  kinds: z.record(z.string().max(100), z.int()),
  recipient: z.string().max(200),
  open: z.array(keySchema).max(100_000),
});

const head = { sequence: z.int().positive(), at: z.iso.datetime(), key: keySchema };
const problem = z.looseObject({
  kind: z.enum(['user', 'blocked', 'transient', 'fault']),
  code: z.string(),
  summary: z.string(),
});

/** A batch of reports. */
export const reportsSchema = z.array(
  z.discriminatedUnion('type', [
    z.object({ ...head, type: z.literal('started') }),
    z.object({ ...head, type: z.literal('log'), text: z.string(), machine: z.string().optional() }),
    z.object({ ...head, type: z.literal('progress'), done: z.number(), total: z.number(), what: z.string() }),
    z.object({
      ...head,
      type: z.literal('waiting'),
      waiting: z.looseObject({
        what: z.string(),
        lastSeen: z.string(),
        since: z.string(),
        usually: z.number(),
      }),
    }),
    z.object({
      ...head,
      type: z.literal('ended'),
      outcome: z.discriminatedUnion('state', [
        z.looseObject({ state: z.literal('succeeded'), facts: z.json(), changed: z.boolean() }),
        z.looseObject({ state: z.literal('failed'), problem, hardLimit: z.boolean() }),
        z.looseObject({ state: z.literal('cancelled') }),
      ]),
    }),
  ]),
);

/** What an agent tells of a cluster's health. */
export const healthSchema = z.object({
  epoch: z.int(),
  cluster: z.string().max(100),
  at: z.iso.datetime(),
  // A newer agent may know conditions that this release does not: they are left out.
  conditions: z
    .array(z.unknown())
    .max(50)
    .transform((found) =>
      found.flatMap((one) => {
        const known = reportedConditionSchema.safeParse(one);
        return known.success ? [known.data] : [];
      }),
    ),
  numbers: z.looseObject({}).transform((found) => healthNumbersSchema.strip().catch({}).parse(found)),
});
