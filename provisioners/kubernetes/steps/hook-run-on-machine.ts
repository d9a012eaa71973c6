import { z } from 'zod';
import { type HookRun, hookShape, longestScript } from '../../contract/hooks.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import type { UserProblem } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { badEnd, environmentOf, pointWords } from '../hook-occasion.ts';
import { hookRun } from '../limits.ts';

const inputSchema = z.strictObject({
  ...hookShape,
  machine: machineRefSchema,
  script: z.string().min(1).max(longestScript),
});
type Input = z.infer<typeof inputSchema>;

/** Why a run is a bad end of this attempt; undefined where it is none, or was one of an earlier attempt. */
function badEndOf(context: StepContext, input: Input, run: HookRun): UserProblem | undefined {
  if (run.state !== 'ended' || run.exitCode === 0 || run.attempt < context.attempt) return undefined;
  const { occasion, machine, timeout } = input;
  const { exitCode, isTimedOut, lastLines } = run;
  return badEnd({
    occasion,
    cluster: context.cluster.name,
    where: `on ${machine.name}`,
    machine: machine.name,
    exitCode,
    isTimedOut,
    timeout,
    lastLines,
  });
}

/**
 * A script of the user's, as root on one machine. An act: its receipt is the exit status that its unit leaves on the
 * machine. Whoever comes back attaches to it; only a new attempt runs one again that ended badly.
 */
export const hookRunOnMachine = defineStep<Input, NoFacts>({
  kind: 'hook.run-on-machine',
  version: 1,
  nature: 'act',
  phase: 'removal',
  destructive: false,
  title: ({ occasion, machine }) =>
    occasion.machine === undefined
      ? `Run the hook ${occasion.hook} as root, ${pointWords(occasion)}, on ${machine.name}`
      : `Run the hook ${occasion.hook} as root, ${pointWords(occasion)}`,
  schema: inputSchema,
  limits: hookRun,
  async observe(context, input) {
    const run = await context.hooks.look(input.machine);
    if (run.state === 'absent') return { state: 'todo', why: `the hook ${input.occasion.hook} has not run` };
    if (run.state === 'running')
      return {
        state: 'pending',
        what: `the hook ${input.occasion.hook} on ${input.machine.name} to end`,
        lastSeen: run.lastLine === '' ? 'it has printed nothing yet' : run.lastLine,
        since: run.since,
        usually: Math.min(input.timeout, 30_000),
      };
    if (run.exitCode === 0) return { state: 'done', facts: {} };
    const problem = badEndOf(context, input, run);
    if (problem !== undefined) throw problem;
    return { state: 'todo', why: `the hook ended with exit code ${run.exitCode} in an earlier attempt` };
  },
  async apply(context, input) {
    const { machine, occasion, script, timeout } = input;
    const environment = environmentOf(context, occasion);
    await context.hooks.run(machine, { hook: occasion.hook, text: script, environment, timeout });
    const problem = badEndOf(context, input, await context.hooks.look(machine));
    if (problem !== undefined) throw problem;
  },
});
