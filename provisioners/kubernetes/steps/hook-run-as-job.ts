import { z } from 'zod';
import { hookShape } from '../../contract/hooks.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type Observation } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { badEndOfJob, formerJobs, type HookJob, jobOf, jobsOf } from '../hook-job.ts';
import { pointWords } from '../hook-occasion.ts';
import { hookRun } from '../limits.ts';

const inputSchema = z.strictObject({
  ...hookShape,
  access: accessSchema,
  image: z.string(),
  command: z.array(z.string()).min(1),
  namespace: z.string(),
  serviceAccount: z.string().exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

function underWay(job: HookJob, { occasion, namespace, timeout }: Input): Observation<NoFacts> {
  return {
    state: 'pending',
    what: `the Job ${namespace}/${job.name} of the hook ${occasion.hook} to end`,
    lastSeen: job.seen,
    since: job.since,
    usually: Math.min(timeout, 60_000),
  };
}

/**
 * A Job of the user's in the cluster. An act: its receipt is the Job, whose name follows from operation, step and
 * attempt, so that it is found again and never made twice. A bad end is run again by a new attempt only.
 */
export const hookRunAsJob = defineStep<Input, NoFacts>({
  kind: 'hook.run-as-job',
  version: 1,
  nature: 'act',
  phase: 'removal',
  destructive: false,
  title: ({ occasion, namespace }) =>
    `Run the hook ${occasion.hook} as a Job in ${namespace}, ${pointWords(occasion)}`,
  schema: inputSchema,
  limits: hookRun,
  async observe(context, input) {
    const [newest] = await jobsOf(context, input);
    if (newest === undefined)
      return { state: 'todo', why: `there is no Job of the hook ${input.occasion.hook}` };
    if (newest.state === 'running') return underWay(newest, input);
    if (newest.state === 'succeeded') return { state: 'done', facts: {} };
    if (newest.attempt >= context.attempt) throw await badEndOfJob(context, input, newest);
    return { state: 'todo', why: `the Job ${newest.name} of an earlier attempt failed` };
  },
  async apply(context, input) {
    for (const former of await formerJobs(context, input))
      await context.kubernetes.remove(input.access, former);
    await context.kubernetes.apply(input.access, [jobOf(context, input)]);
    // The Job is the receipt: nothing is delivered before it has ended, and to wait for it is no apply.
    throw new Blocked('HOOK-005', `the Job of the hook ${input.occasion.hook} has begun`, {
      awaits: `the Job of the hook ${input.occasion.hook} to end`,
      remedy: `Look at it with kubectl -n ${input.namespace} get jobs -l remuda.dev/hook=${input.occasion.hook}.`,
    });
  },
});
