import { z } from 'zod';
import { intentSchema } from '../../../provisioners/contract/intent.ts';
import { operationKinds, premisesSchema } from '../../../provisioners/contract/plan.ts';
import { phases } from '../../../provisioners/contract/step.ts';
import { problemReportSchema } from './problem.ts';

export const phaseSchema = z.enum(phases);

/** One step of a plan. Its input may refer to facts of earlier steps. */
const plannedStepSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    version: z.int(),
    phase: phaseSchema,
    subject: z.string().describe('Machine name, or `cluster`.'),
    title: z.string(),
    input: z.unknown(),
    after: z.array(z.string()).readonly(),
    destructive: z.boolean(),
  })
  .meta({ id: 'PlannedStep' });

/** A plan: what it was made from, what it changes, what it does. */
export const planSchema = z
  .object({
    kind: z.enum(operationKinds),
    intent: intentSchema.exactOptional().describe('What is wanted once, beside what the document says.'),
    cluster: z.object({ uid: z.string(), name: z.string() }),
    premises: premisesSchema.readonly(),
    steps: z.array(plannedStepSchema).readonly(),
    destroys: z.array(z.string()).readonly(),
    retires: z
      .record(
        z.string(),
        z.object({
          mode: z.enum(['destroy', 'keep', 'off']),
          reason: z.enum(['surplus', 'removed', 'replaced', 'changed', 'upgraded']),
        }),
      )
      .readonly()
      .exactOptional()
      .describe('Machines that this plan is the first to send away.'),
    takesBack: z
      .array(z.string())
      .readonly()
      .exactOptional()
      .describe('Machines that were to leave and stay after all.'),
    notices: z.array(z.string()).readonly(),
    hooksFor: z.string().exactOptional().describe('What kind of operation hooks are told of.'),
    isPartial: z.literal(true).exactOptional().describe('When these steps are done, all is planned anew.'),
    stop: z
      .string()
      .exactOptional()
      .describe('Version at which an upgrade over several minors stops after these steps.'),
    changes: z
      .array(
        z.object({
          action: z.enum(['create', 'change', 'destroy']),
          subject: z.string(),
          detail: z.string(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'Plan' });

const clusterPlanSchema = z
  .object({
    cluster: z.string(),
    plan: planSchema,
    hash: z.string(),
    text: z.string().describe('Printed for people.'),
    isUnchanged: z.boolean(),
    warnings: z
      .array(problemReportSchema)
      .readonly()
      .exactOptional()
      .describe('What policies have against the cluster without refusing it; also at the end of `text`.'),
  })
  .meta({ id: 'ClusterPlan' });

/** Answer of the planning routes. */
export const planAnswerSchema = z
  .object({
    problems: z.array(problemReportSchema).readonly(),
    plans: z.array(clusterPlanSchema).readonly(),
    hash: z.string().describe('Give it to `apply` to run exactly this plan.'),
    needsConfirmation: z.array(z.string()).readonly(),
  })
  .meta({ id: 'PlanAnswer' });
export type PlanAnswer = z.infer<typeof planAnswerSchema>;

const findingSchema = z
  .object({
    check: z.string().describe('Id of the check in the catalogue.'),
    severity: z.enum(['strict', 'bypassable']),
    outcome: z.enum(['passed', 'failed', 'bypassed']),
    subject: z.string().describe('Machine, pair of machines, or the cluster.'),
    saw: z.string(),
    field: z.string().exactOptional(),
    remedy: z.string().exactOptional(),
  })
  .meta({ id: 'Finding' });

/** Answer of `preflight`. */
export const preflightAnswerSchema = z
  .object({
    problems: z.array(problemReportSchema).readonly(),
    clusters: z
      .array(
        z.object({
          cluster: z.string(),
          checks: z
            .array(
              z.object({
                step: z.string(),
                title: z.string(),
                findings: z.array(findingSchema).readonly(),
                problem: problemReportSchema.exactOptional(),
              }),
            )
            .readonly(),
          later: z.array(z.string()).readonly().describe('Checks that need machines which are not made yet.'),
        }),
      )
      .readonly(),
    isPassed: z.boolean(),
  })
  .meta({ id: 'PreflightAnswer' });
export type PreflightAnswer = z.infer<typeof preflightAnswerSchema>;
