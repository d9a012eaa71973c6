import { z } from 'zod';
import { operationKinds } from '../../../provisioners/contract/plan.ts';
import { phaseSchema, planSchema } from './plan.ts';
import { problemReportSchema } from './problem.ts';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');
const milliseconds = z.number().describe('Milliseconds.');

export const waitingSchema = z
  .object({
    what: z.string(),
    lastSeen: z.string(),
    since: instant,
    usually: milliseconds,
    youCould: z.string().exactOptional(),
  })
  .meta({ id: 'Waiting' });
export type Waiting = z.infer<typeof waitingSchema>;

/** A step as people follow it. */
export const stepViewSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    title: z.string(),
    phase: phaseSchema,
    subject: z.string(),
    role: z
      .enum(['control-plane', 'worker', 'etcd'])
      .exactOptional()
      .describe('Of the machine that the plan removes.'),
    after: z.array(z.string()).readonly(),
    destructive: z.boolean(),
    state: z.enum(['planned', 'running', 'succeeded', 'failed', 'cancelled', 'kept']),
    attempt: z.int(),
    startedAt: instant.exactOptional(),
    endedAt: instant.exactOptional(),
    changed: z.boolean().exactOptional(),
    waiting: waitingSchema.exactOptional(),
    progress: z.object({ done: z.number(), total: z.number(), what: z.string() }).exactOptional(),
    problem: problemReportSchema.exactOptional(),
    facts: z.unknown().describe('What the step found or made, once it has succeeded.').exactOptional(),
  })
  .meta({ id: 'StepView' });
export type StepView = z.infer<typeof stepViewSchema>;

/** An operation in lists. */
export const operationViewSchema = z
  .object({
    id: z.string(),
    cluster: z.object({ uid: z.string(), name: z.string() }),
    kind: z.enum(operationKinds),
    state: z.enum(['planned', 'waiting', 'running', 'succeeded', 'failed', 'cancelled']),
    waitingFor: z.enum(['approval', 'agent', 'operation', 'space', 'window', 'pause']).exactOptional(),
    isCancelling: z
      .boolean()
      .exactOptional()
      .describe('A cancel is recorded; running steps end first, once the agent hears of it.'),
    toApprove: z.array(z.string()).readonly().exactOptional(),
    agreement: z
      .object({
        needed: z.int(),
        agreed: z.array(z.object({ principal: z.string(), at: instant })).readonly(),
        missing: z.int(),
      })
      .exactOptional()
      .describe('Who has agreed to the plan in force, where more than one principal must.'),
    waitsUntil: instant.exactOptional().describe('When a wait for a window or in a pause ends by itself.'),
    outsideWindow: z.string().exactOptional().describe('Who let it work outside the maintenance windows.'),
    isResumable: z.boolean(),
    principal: z.string(),
    revision: z.int(),
    planNumber: z.int(),
    planHash: z.string(),
    bypass: z.array(z.string()).readonly(),
    createdAt: instant,
    startedAt: instant.exactOptional(),
    endedAt: instant.exactOptional(),
    duration: milliseconds,
    steps: z.object({ total: z.int(), ended: z.int(), running: z.int(), failed: z.int() }),
    problem: problemReportSchema.exactOptional(),
    supersededBy: z.string().exactOptional(),
  })
  .meta({ id: 'Operation' });
export type OperationView = z.infer<typeof operationViewSchema>;

/** An operation with its plan and steps. */
export const operationDetailSchema = operationViewSchema
  .extend({ plan: planSchema, stepList: z.array(stepViewSchema).readonly() })
  .meta({ id: 'OperationDetail' });
export type OperationDetail = z.infer<typeof operationDetailSchema>;

/** Answer of `apply`. */
export const applyAnswerSchema = z
  .object({
    operations: z.array(operationViewSchema).readonly(),
    unchanged: z.array(z.string()).readonly(),
    stored: z.array(z.string()).readonly(),
  })
  .meta({ id: 'ApplyAnswer' });
export type ApplyAnswer = z.infer<typeof applyAnswerSchema>;

/** One thing that happened, numbered without gaps. */
export const eventSchema = z
  .object({
    number: z.int(),
    at: instant,
    type: z.string(),
    cluster: z.string().exactOptional(),
    operation: z.string().exactOptional(),
    step: z.string().exactOptional(),
    data: z.unknown(),
  })
  .meta({ id: 'Event' });
export type EngineEvent = z.infer<typeof eventSchema>;

/** One line of an operation's log. */
export const logLineSchema = z
  .object({
    number: z.int(),
    at: instant,
    step: z.string(),
    machine: z.string().exactOptional(),
    text: z.string(),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof logLineSchema>;

export const logPageSchema = z
  .object({ lines: z.array(logLineSchema).readonly(), firstKept: z.int(), last: z.int() })
  .meta({ id: 'LogPage' });
export type LogPage = z.infer<typeof logPageSchema>;

/** What became of the wish for an operation. */
export const intentAnswerSchema = z
  .object({ operation: operationViewSchema.exactOptional().describe('Absent when there is nothing to do.') })
  .meta({ id: 'IntentAnswer' });
export type IntentAnswer = z.infer<typeof intentAnswerSchema>;
