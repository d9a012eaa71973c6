import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { problems } from './problems.ts';
import type { Replanner } from './replanning.ts';
import { isStillWanted } from './review.ts';
import type { OperationRun } from './run.ts';

/** How often a plan may be given up in a row because what it stood on had moved. */
const mostPremiseFailures = 3;

/**
 * Looks afresh and plans again before anything is destroyed: each step must still be what a plan made now wants. Steps
 * that may go on are cleared; otherwise the operation is to plan again, or to end when its premises move for ever.
 * `problemOf` makes a report of what was thrown.
 */
export async function checkPremises(
  run: OperationRun,
  steps: readonly PlannedStep[],
  replanner: Replanner,
  problemOf: (error: unknown) => ProblemReport,
): Promise<void> {
  run.isChecking = true;
  try {
    const plan = await replanner.planAgain(run);
    if (plan === undefined) return;
    const known = new Set(run.plan.steps.map(({ id }) => id));
    const now = new Map(plan.steps.map((step) => [step.id, step]));
    const holds = steps.every((step) => {
      const same = now.get(step.id);
      // Nor may something have to come before it that this plan knows nothing of: a drain of what answers again.
      return same !== undefined && isStillWanted(same, step) && same.after.every((id) => known.has(id));
    });
    if (holds) for (const step of steps) run.cleared.add(step.id);
    else if (run.premiseFailures >= mostPremiseFailures) run.problem ??= problems.premisesMove(run.cluster);
    else {
      run.premiseFailures += 1;
      run.wantsReplan = true;
    }
  } catch (error) {
    run.problem ??= problemOf(error);
  } finally {
    run.isChecking = false;
  }
}
