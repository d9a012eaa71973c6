import { reportOf } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { OperationLogs } from '../state/logs.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { State } from '../state/state.ts';
import type { Recorder } from './recorder.ts';
import type { EngineCounters } from './counters.ts';
import type { OperationRun } from './run.ts';
import { leavesAlone } from './side-work.ts';

/** How an operation ends. */
export type Ending = 'succeeded' | 'failed' | 'cancelled';

/** A cluster that was given away, or was not taken in after all: it lives on, and nothing of it stays with us. */
const isForgotten = ({ kind }: OperationRun, how: Ending): boolean =>
  (kind === 'eject' && how === 'succeeded') || (kind === 'adopt' && how === 'cancelled');

/** Its history stays; its keys, and what was seen of it, do not. */
function forget({ clusters, machines, retirements }: State, uid: string, at: Instant): void {
  clusters.forget(uid, at);
  machines.forget(uid);
  retirements.forget(uid);
}

/** Ends operations in the journal, and says whose turn it is then. */
export class Endings {
  readonly #recorder: Recorder;
  readonly #logs: OperationLogs;
  readonly #counters: EngineCounters;
  readonly #ids: () => string;

  constructor(parts: {
    readonly recorder: Recorder;
    readonly logs: OperationLogs;
    readonly counters: EngineCounters;
    readonly ids: () => string;
  }) {
    this.#recorder = parts.recorder;
    this.#logs = parts.logs;
    this.#counters = parts.counters;
    this.#ids = parts.ids;
  }

  /** Writes the end down; answers the queued operation that is to begin now, if there is one. */
  async end(run: OperationRun, how: Ending): Promise<OperationRecord | undefined> {
    const { state } = this.#recorder;
    const problem = how === 'succeeded' ? undefined : run.problem;
    const next = await this.#recorder.commit((note, at) => {
      state.operations.setState(run.id, how, { at, ...(problem === undefined ? {} : { problem }) });
      const about = { cluster: run.cluster, operation: run.id };
      const shown =
        problem === undefined ? {} : { problem: { code: problem.code, summary: problem.summary } };
      note({ type: 'operation.ended', ...about, data: { state: how, ...shown } });
      if (run.kind === 'delete' && how === 'succeeded') {
        state.clusters.setDeleted(run.subject.cluster.uid, at);
        note({ type: 'cluster.deleted', cluster: run.cluster, data: {} });
      }
      if (isForgotten(run, how)) {
        forget(state, run.subject.cluster.uid, at);
        note({ type: 'cluster.forgotten', cluster: run.cluster, data: { by: run.kind } });
      }
      if (run.plan.intent?.kind === 'adopt' && how !== 'failed') state.secrets.remove(run.plan.intent.login);
      const queued = state.operations.queued(run.subject.cluster.uid);
      if (queued === undefined) return undefined;
      const isOvertaken = how !== 'succeeded' && !leavesAlone(queued.kind, run.kind);
      if (isOvertaken) state.operations.setSuperseded(run.id, queued.id);
      state.operations.setState(queued.id, 'running', { at });
      return queued;
    });
    this.#logs.close(run.id);
    if (how === 'succeeded') this.#counters.operationsSucceeded += 1;
    if (how === 'failed') this.#counters.operationsFailed += 1;
    return next;
  }

  /** Records that this release cannot read end their own operation, not the daemon. */
  async endUnreadable(record: OperationRecord, error: unknown): Promise<void> {
    const { state } = this.#recorder;
    const problem = reportOf(error, this.#ids());
    await this.#recorder.commit((note, at) => {
      state.operations.setState(record.id, 'failed', { at, problem });
      note({ type: 'operation.ended', operation: record.id, data: { state: 'failed' } });
    });
  }

  /** Queued operations whose forerunner ended in the last moment of the process before: they are to begin now. */
  async releaseQueued(): Promise<readonly OperationRecord[]> {
    const { operations } = this.#recorder.state;
    const unfinished = operations.listUnfinished();
    const free = unfinished.filter(
      ({ cluster, waitingFor }) =>
        waitingFor === 'operation' &&
        !unfinished.some((other) => other.cluster === cluster && other.waitingFor !== 'operation'),
    );
    if (free.length === 0) return [];
    await this.#recorder.commit((_note, at) => {
      for (const { id } of free) operations.setState(id, 'running', { at });
    });
    return free;
  }
}
