import { z } from 'zod';
import type { Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { hookKinds } from '../planning/hook-steps.ts';
import type { Note } from './recorder.ts';

/** What a hook leaves that failed and that its operation goes on without: a warning, and no reason to stop. */
const warningOf = (problem: ProblemReport): Json => ({
  warning: JSON.parse(JSON.stringify(problem)) as Json,
});

/**
 * What the end of a step means for its operation: where a hook's `onFailure` says so, a failure is a delivered act with a
 * warning, in the journal already, so that nobody stops for it or runs it again. All other ends are what they are.
 */
export function judgeHook(kind: string, input: Json, outcome: Outcome): Outcome {
  if (outcome.state !== 'failed' || !hookKinds.has(kind)) return outcome;
  const mayFail =
    input !== null && typeof input === 'object' && 'onFailure' in input && input['onFailure'] === 'continue';
  return mayFail ? { state: 'succeeded', facts: warningOf(outcome.problem), changed: true } : outcome;
}

const warningSchema = z.object({
  warning: z.looseObject({
    kind: z.enum(['user', 'blocked', 'transient', 'fault']),
    code: z.string(),
    summary: z.string(),
  }),
});

/** The warning that a step left which was gone on without: shown with the step, though that ended well. */
export function warningIn(facts: Json): { readonly problem?: ProblemReport } {
  const found = warningSchema.safeParse(facts).data;
  return found === undefined ? {} : { problem: found.warning as ProblemReport };
}

/** Tells of a hook that failed and was gone on without. */
export function noteHookWarning(
  note: Note,
  about: { readonly cluster: string; readonly operation: string; readonly step: string },
  facts: Json,
): void {
  const { problem } = warningIn(facts);
  if (problem === undefined) return;
  note({ type: 'hook.failed', ...about, data: { problem: JSON.parse(JSON.stringify(problem)) as Json } });
}
