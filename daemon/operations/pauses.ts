import { type Hold, isOfTime } from './hold.ts';
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
  if (cause === run.pause || (cause === undefined && isOfTime(run.pause))) return undefined;
  run.pause = cause;
  run.pauseUntil = undefined;
  if (cause === undefined) return goOn(recorder, run);
  const problem = cause === 'space' ? problems.noSpace() : problems.noAgent(run.site);
  return recorder.commit((note, at) => {
    recorder.state.operations.setState(run.id, 'waiting', { at, waitingFor: cause, problem });
    note({ type: 'operation.waiting', cluster: run.cluster, operation: run.id, data: { for: cause } });
  });
}

/**
 * Whether an operation of which nothing is under way must wait for a window or in a pause, kept in `run.pause`; said in
 * the journal when that changes. `hold` is absent when something is under way, or nothing is held.
 */
export function holdChange(
  recorder: Recorder,
  run: OperationRun,
  hold: Hold | undefined,
): Promise<void> | undefined {
  if (hold === undefined && !isOfTime(run.pause)) return undefined;
  if (hold?.for === run.pause && hold?.until === run.pauseUntil) return undefined;
  run.pause = hold?.for;
  run.pauseUntil = hold?.until;
  if (hold === undefined) return goOn(recorder, run);
  const { until, problem } = hold;
  const about = { cluster: run.cluster, operation: run.id };
  return recorder.commit((note, at) => {
    const change = { at, waitingFor: hold.for, waitsUntil: until, problem };
    recorder.state.operations.setState(run.id, 'waiting', change);
    note({ type: 'operation.waiting', ...about, data: { for: hold.for, until, why: problem.summary } });
  });
}

const goOn = (recorder: Recorder, run: OperationRun): Promise<void> =>
  recorder.commit((note, at) => {
    recorder.state.operations.setState(run.id, 'running', { at });
    note({ type: 'operation.continued', cluster: run.cluster, operation: run.id, data: {} });
  });

function causeOf(isShort: boolean, isConnected: boolean): 'agent' | 'space' | undefined {
  if (isShort) return 'space';
  return isConnected ? undefined : 'agent';
}
