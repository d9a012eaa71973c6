import { type ProblemReport, reportOf } from '../../provisioners/contract/problem.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import { Attempt } from './attempt.ts';
import type { Clock } from './clock.ts';
import { AgentStopped } from './interruption.ts';
import type { AgentReport, AttemptKey, Dispatch, Outcome } from './protocol/dispatch.ts';
import { Snapshots } from './snapshots.ts';
import type { AttemptStore } from './store.ts';
import type { PortsFactory } from './work.ts';

/** What a runner is made of; nothing here knows of sockets or SSH. */
export interface AttemptRunnerOptions {
  /** The kinds this agent ships. */
  readonly steps: ReadonlyMap<string, AnyStep>;
  readonly store: AttemptStore;
  readonly ports: PortsFactory;
  readonly clock: Clock;
  /** This agent's epoch, given at enrolment. Dispatches of any other are refused. */
  readonly epoch: number;
  /** Shared with whoever else reads the clusters; default: the runner's own. */
  readonly snapshots?: Snapshots;
}

interface Running {
  readonly attempt: Attempt;
  readonly ended: Promise<void>;
}

/**
 * Runs attempts: each is on disk before it starts and ends only with a durable report. One attempt a step at a time;
 * a newer attempt waits until the older one's last effect is over.
 */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;
  readonly #snapshots: Snapshots;
  readonly #running = new Map<string, Running>();
  /** Operation and step → end of its last attempt in this process. */
  readonly #lastOf = new Map<string, Promise<void>>();
  #isOver = false;

  /** @throws Error when the epoch is older than the store's. */
  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
    this.#snapshots = options.snapshots ?? new Snapshots(options.clock);
    options.store.adopt(options.epoch);
  }

  /** Called after each commit that added reports to send. */
  onReports(handler: () => void): void {
    this.#options.store.outbox.onFlush(handler);
  }

  /**
   * Starts the attempt, joins the running one, or tells the recorded end again. Refusals are reports.
   * @throws the store's error (a full disk): nothing was started then, and the daemon sends the dispatch again.
   */
  dispatch(dispatch: Dispatch): void {
    if (this.#isOver) return;
    const { store, epoch } = this.#options;
    const { key } = dispatch;
    if (dispatch.epoch !== epoch) {
      this.#tellRefusal(dispatch, otherEpoch(dispatch.epoch, epoch));
      return;
    }
    const record = store.find(key);
    if (record?.state === 'ended') {
      if (record.epoch !== epoch || store.isAcknowledged(key))
        store.end(key, epoch, record.outcome, this.#options.clock.now());
      return;
    }
    if (this.#running.has(nameOf(key))) return;
    const step = this.#options.steps.get(dispatch.kind);
    const refusal = refuse(dispatch, step);
    if (step === undefined || refusal !== undefined) {
      if (refusal !== undefined) this.#end(key, { state: 'failed', problem: refusal, hardLimit: false });
      return;
    }
    if (record === undefined) store.begin(dispatch, this.#options.clock.now());
    this.#start(dispatch, step);
  }

  /** Waits end at once, a running apply finishes. An unknown key is ignored. */
  cancel(key: AttemptKey): void {
    this.#running.get(nameOf(key))?.attempt.cancel();
  }

  /** Reports up to this sequence may be forgotten. */
  acknowledge(sequence: number): void {
    if (!this.#isOver) this.#options.store.acknowledge(sequence);
  }

  /**
   * Takes over what the daemon holds of this epoch. If it holds more than was ever numbered here (a fresh state folder
   * under an old epoch), numbering goes on after that, or the daemon would take new reports for old ones.
   */
  synchronise(acknowledged: number): void {
    if (this.#isOver) return;
    this.#options.store.startAfter(acknowledged);
    this.#options.store.acknowledge(acknowledged);
  }

  /** Durable reports after this sequence, in order, at most `limit`. */
  reports(after: number, limit: number): readonly AgentReport[] {
    return this.#options.store.outbox.read(after, limit);
  }

  /** Attempts on record whose end was not acknowledged. */
  open(): readonly AttemptKey[] {
    return this.#options.store.unacknowledged();
  }

  /** Takes up every attempt that was open when the last process ended. Call once, after construction. */
  resume(): void {
    for (const dispatch of this.#options.store.openDispatches()) this.dispatch(dispatch);
  }

  /** Ends in order: waits stop, log lines become durable, attempts stay open for the next process. */
  async stop(): Promise<void> {
    this.#isOver = true;
    const running = [...this.#running.values()];
    for (const { attempt } of running) attempt.stop();
    await Promise.all(running.map(({ ended }) => ended));
    this.#options.store.outbox.commit();
  }

  /** Ends as a kill would: from now on nothing is written or reported. For fault tests. */
  abandon(): void {
    this.#isOver = true;
    this.#options.store.outbox.close();
    for (const { attempt } of this.#running.values()) attempt.stop();
  }

  #start(dispatch: Dispatch, step: AnyStep): void {
    const name = nameOf(dispatch.key);
    const subject = `${dispatch.key.operation}\n${dispatch.key.step}`;
    this.#supersede(dispatch.key);
    const attempt = new Attempt({ ...this.#options, snapshots: this.#snapshots, dispatch, step });
    const before = this.#lastOf.get(subject) ?? Promise.resolve();
    const ended = before.then(async () => this.#run(attempt, dispatch.key));
    this.#running.set(name, { attempt, ended });
    this.#lastOf.set(subject, ended);
    void ended.finally(() => {
      if (this.#lastOf.get(subject) === ended) this.#lastOf.delete(subject);
    });
  }

  /** An older attempt at the same step that still runs here ends; the new one starts when it has. */
  #supersede(key: AttemptKey): void {
    for (const { attempt } of this.#running.values()) {
      const other = attempt.key;
      if (other.operation === key.operation && other.step === key.step && other.attempt < key.attempt)
        attempt.cancel();
    }
  }

  async #run(attempt: Attempt, key: AttemptKey): Promise<void> {
    try {
      await this.#endSurely(key, await attempt.run());
    } catch (thrown) {
      if (!(thrown instanceof AgentStopped))
        await this.#endSurely(key, {
          state: 'failed',
          problem: reportOf(thrown, nameOf(key)),
          hardLimit: false,
        });
    } finally {
      this.#running.delete(nameOf(key));
    }
  }

  /** Records the end; while the disk refuses, the end is kept in memory and tried again. */
  async #endSurely(key: AttemptKey, outcome: Outcome): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#end(key, outcome);
        return;
      } catch {
        await this.#options.clock.sleep(1000, new AbortController().signal);
      }
    }
  }

  #end(key: AttemptKey, outcome: Outcome): void {
    this.#options.store.end(key, this.#options.epoch, outcome, this.#options.clock.now());
  }

  /** A refusal for another epoch is told and not recorded: the same key may come rightly later. */
  #tellRefusal(dispatch: Dispatch, problem: ProblemReport): void {
    const { outbox } = this.#options.store;
    const outcome: Outcome = { state: 'failed', problem, hardLimit: false };
    outbox.commit({ type: 'ended', at: this.#options.clock.now(), key: dispatch.key, outcome });
  }
}

const nameOf = (key: AttemptKey): string => `${key.operation}/${key.step}#${key.attempt}`;

/** Why this agent must not run the dispatch, or undefined. It trusts no daemon: everything is checked again here. */
function refuse(dispatch: Dispatch, step: AnyStep | undefined): ProblemReport | undefined {
  if (step === undefined)
    return refusalReport(
      'AGENT-031',
      `This agent does not know steps of kind ${dispatch.kind}.`,
      updateAgent,
    );
  if (dispatch.version > step.version)
    return refusalReport(
      'AGENT-032',
      `The input of ${dispatch.kind} is version ${dispatch.version}; this agent reads up to ${step.version}.`,
      updateAgent,
    );
  const parsed = step.schema.safeParse(dispatch.input);
  if (parsed.success) return undefined;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  return refusalReport(
    'AGENT-033',
    `The input of ${dispatch.key.step} is not valid: ${issues.join('; ')}`,
    sendBundle,
  );
}

const updateAgent = 'Update the agent of this site to the release of the daemon, then resume the operation.';
const sendBundle =
  'Plan the operation again; if it fails again, send what remuda describe operation and remuda logs print of it.';

function otherEpoch(theirs: number, ours: number): ProblemReport {
  return refusalReport(
    'AGENT-030',
    `The work was sent for epoch ${theirs} of this site's agent; this agent holds epoch ${ours}.`,
    'If this agent was replaced on purpose, nothing is to be done here; otherwise enrol it again.',
  );
}

function refusalReport(code: string, summary: string, remedy: string): ProblemReport {
  return { kind: 'fault', code, summary, remedy };
}
