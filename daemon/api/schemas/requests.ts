import { z } from 'zod';
import { askedIntentSchema } from '../../../provisioners/contract/intent.ts';

/** Text of an answer file: a stream may have 1 MiB; the rest is for a clear message. */
const text = z.string().max(2 * 1024 * 1024);
const file = z.string().max(1000).default('-').describe('Name for messages.');

/** A file to look at. */
export const fileRequestSchema = z.strictObject({ text, file }).meta({ id: 'FileRequest' });

const bypass = z
  .array(z.string().max(63))
  .max(100)
  .default([])
  .describe('Ids of preflight checks to bypass.');

/** `plan`: a bypass is part of a plan and of its hash, so that exactly what was reviewed can be run. */
export const planRequestSchema = z.strictObject({ text, file, bypass }).meta({ id: 'PlanRequest' });

/** `preflight`. */
export const preflightRequestSchema = z.strictObject({ text, file, bypass }).meta({ id: 'PreflightRequest' });

/** `apply`. The key and the revision come as headers. */
export const applyRequestSchema = z
  .strictObject({
    text,
    file,
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z
      .array(z.string().max(63))
      .max(1000)
      .default([])
      .describe('Clusters whose destruction is confirmed.'),
    bypass,
  })
  .meta({ id: 'ApplyRequest' });

export const deleteRequestSchema = z
  .strictObject({
    confirm: z.string().max(63).exactOptional().describe("The cluster's name once more."),
    planHash: z.string().max(200).exactOptional(),
    volumes: z
      .enum(['retain', 'delete'])
      .exactOptional()
      .describe('What becomes of volumes; when absent, what spec.deletion.volumes says.'),
    whenBlocked: z
      .enum(['wait', 'skip'])
      .exactOptional()
      .describe(
        'Services and claims that a finalizer holds; when absent, what spec.deletion.whenBlocked says.',
      ),
  })
  .meta({ id: 'DeleteRequest' });

export const machineFencedSchema = z
  .strictObject({ confirm: z.string().max(63).exactOptional().describe("The machine's name once more.") })
  .meta({ id: 'MachineFencedRequest' });

const names = z.array(z.string().min(1).max(63)).min(1).max(1000);
const mode = z
  .enum(['destroy', 'keep'])
  .default('destroy')
  .describe('`keep` takes the machine out of the cluster, seals it off and leaves it at the provider.');

/** `machine add`, `machine remove`, `machine replace`, `upgrade`, `back`. */
export const machineChangeSchema = z
  .strictObject({
    change: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('add'),
        group: z.string().max(63).describe('`control-plane`, or the name of a worker group.'),
        count: z.int().min(1).max(1000).default(1),
      }),
      z.strictObject({ kind: z.literal('remove'), machines: names, mode }),
      z.strictObject({ kind: z.literal('replace'), machines: names, mode }),
      z.strictObject({
        kind: z.literal('upgrade'),
        version: z.string().max(63).describe('Kubernetes version that all machines are to run.'),
        through: z
          .array(z.string().max(63))
          .max(10)
          .exactOptional()
          .describe('Versions to stop at on the way; the newest on board of each minor between when absent.'),
      }),
      z.strictObject({ kind: z.literal('back') }),
    ]),
    bypass,
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z.string().max(63).exactOptional().describe("The cluster's name, where the plan needs it."),
  })
  .meta({ id: 'MachineChangeRequest' });

/** What is wanted once of a cluster that is there. */
export const intentRequestSchema = z
  .strictObject({
    intent: askedIntentSchema,
    bypass,
    planHash: z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.'),
    confirm: z.string().max(63).exactOptional().describe("The cluster's name, where the plan needs it."),
  })
  .meta({ id: 'IntentRequest' });
export type IntentRequest = z.infer<typeof intentRequestSchema>;

export const approveRequestSchema = z
  .strictObject({
    confirm: z.string().max(63).describe("The cluster's name."),
    planHash: z.string().max(200).exactOptional().describe('The plan that was read; another is refused.'),
  })
  .meta({ id: 'ApproveRequest' });

/** Lets one operation work outside the maintenance windows. */
export const overrideRequestSchema = z
  .strictObject({ confirm: z.string().max(63).describe("The cluster's name.") })
  .meta({ id: 'OverrideWindowRequest' });

/** Values of a secret: sealed on arrival, never answered. */
export const secretRequestSchema = z
  .strictObject({
    data: z.record(z.string().regex(/^[A-Za-z0-9._-]{1,253}$/), z.string().max(1024 * 1024)),
  })
  .meta({ id: 'SecretRequest' });

export const credentialRequestSchema = z
  .strictObject({
    request: z.string().max(10_000).describe('PKCS#10, PEM; the key stays with the caller.'),
    seconds: z.int().min(60).max(3600).default(3600),
  })
  .meta({ id: 'CredentialRequest' });

/** How many answers a page holds at most. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(200).exactOptional().describe('From `next` of the page before.'),
});

/** Numbered things after a number. */
export const afterQuery = {
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
};

/** A page of a list; `next` is absent on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item).readonly(), next: z.string().exactOptional() });
