import type { AgentLink } from './link.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import type { OperationRun } from './run.ts';

/**
 * Whether an operation must wait for its agent or for space, kept in `run.pause`. When that changes, it is said in the
 * journal (complaint 1); the answer is that write.
 */
export function pauseChange(
  recorder: Recorder,
  link: AgentLink,
  run: OperationRun,
): Promise<void> | undefined {
  const cause = causeOf(recorder.state.journal.isShort, link.isConnected);
  if (cause === run.pause) return undefined;
  run.pause = cause;
  const about = { cluster: run.cluster, operation: run.id };
  return recorder.commit((note, at) => {
    const { operations } = recorder.state;
    if (cause === undefined) {
      operations.setState(run.id, 'running', { at });
      note({ type: 'operation.continued', ...about, data: {} });
      return;
    }
    const problem = cause === 'space' ? problems.noSpace() : problems.noAgent(run.site);
    operations.setState(run.id, 'waiting', { at, waitingFor: cause, problem });
    note({ type: 'operation.waiting', ...about, data: { for: cause } });
  });
}

function causeOf(isShort: boolean, isConnected: boolean): 'agent' | 'space' | undefined {
  if (isShort) return 'space';
  return isConnected ? undefined : 'agent';
}
