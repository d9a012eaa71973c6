import type { OperationDetail, OperationView, ProblemDetails } from '../../api/types.ts';
import { CommandFailure, type ExitCode, exitCode } from '../exit.ts';
import { operationTitle } from '../progress/steps-summary.ts';
import { cleanLine } from '../clean-text.ts';
import type { Session } from './session.ts';
import { teardownProof } from './teardown-lists.ts';

type ProblemReport = ProblemDetails['problems'][number];

/** Code of the proof that something was left behind (provisioners/kubernetes/steps/teardown-prove.ts). */
const leftoverCode = 'TEARDOWN-001';

/**
 * Ends a command as its operations ended: prints what follows for the user, throws when one did not end as `wanted`.
 */
export function concludeOperations(
  session: Session,
  operations: readonly OperationDetail[],
  wanted: OperationDetail['state'],
): void {
  const bad = operations.filter((operation) => operation.state !== wanted && operation.state !== 'succeeded');
  const [worst] = bad;
  if (worst) {
    throw new CommandFailure(codeOf(worst), bad.flatMap(problemsOf), bad.flatMap(waysOn));
  }
  for (const operation of operations) {
    if ((teardownProof(operation)?.left.length ?? 0) > 0) throw new CommandFailure(exitCode.leftovers, []);
    if (operation.kind === 'create' && operation.state === 'succeeded')
      session.printer.note(
        `Use it: remuda kubeconfig ${operation.cluster.name} > kubeconfig && kubectl --kubeconfig kubeconfig get nodes`,
      );
  }
}

/** Ends a command whose work waits for the word of others. @throws CommandFailure */
export function refuseWaiting(operations: readonly OperationView[]): void {
  const waiting = operations.filter(({ waitingFor }) => waitingFor === 'approval');
  if (waiting.length === 0) return;
  const problems = waiting.flatMap(({ problem }) => problem ?? []);
  throw new CommandFailure(exitCode.approval, problems, waiting.map(wayToApprove));
}

function wayToApprove({ id, cluster, toApprove = [], agreement }: OperationView): string {
  const names = toApprove.map(cleanLine).join(', ');
  const destroys = names === '' ? '' : `It would destroy ${names}. `;
  const agreed = (agreement?.agreed ?? []).map(({ principal }) => cleanLine(principal)).join(', ');
  const who = agreed === '' ? 'If you agree' : `${agreed} agreed; whoever else does`;
  return `${destroys}${who}: remuda operation approve ${id} --confirm ${cluster.name} --wait`;
}

function problemsOf(operation: OperationDetail): readonly ProblemReport[] {
  const ofSteps = operation.stepList.flatMap((step) =>
    step.state === 'failed' && step.problem ? [step.problem] : [],
  );
  const { problem } = operation;
  // A step may have failed under an earlier plan, and something else be the reason now.
  const isOfStep = ofSteps.some(({ code, summary }) => code === problem?.code && summary === problem.summary);
  if (problem !== undefined && !isOfStep) return [problem];
  if (ofSteps.length > 0) return ofSteps;
  return [
    {
      kind: operation.state === 'waiting' ? 'blocked' : 'user',
      code: operation.state === 'waiting' ? 'CLI-023' : 'CLI-024',
      summary: operationTitle(operation),
    },
  ];
}

function waysOn(operation: OperationDetail): readonly string[] {
  const { id } = operation;
  if (operation.state === 'waiting') return [wayToApprove(operation)];
  const log = `The whole log: remuda logs ${id}`;
  if (operation.supersededBy !== undefined)
    return [`A newer one goes on: remuda operation follow ${operation.supersededBy}`, log];
  return operation.isResumable
    ? [`Go on once it is mended: remuda operation resume ${id} --wait`, log]
    : [log];
}

function codeOf(operation: OperationDetail): ExitCode {
  if (operation.state === 'waiting') return exitCode.approval;
  const failed = operation.stepList.filter((step) => step.state === 'failed');
  // A proof that gave up at its time limit carries the limit's code; nothing is proven gone then either.
  if (failed.some((step) => step.kind === 'teardown.prove')) return exitCode.leftovers;
  if (problemsOf(operation).some((problem) => problem.code === leftoverCode)) return exitCode.leftovers;
  if (failed.some((step) => step.phase === 'preflight')) return exitCode.preflight;
  return operation.isResumable ? exitCode.resumable : exitCode.failed;
}
