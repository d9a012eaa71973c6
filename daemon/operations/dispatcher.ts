import { type PlannedStep, resolveReferences } from '../../provisioners/contract/plan.ts';
import { createMachineSchema, type CreateMachine } from '../../provisioners/contract/provider.ts';
import type { ClusterContext } from '../../appliance/agent/protocol/dispatch.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { AttemptRecord } from '../state/attempts.ts';
import type { AgentLink } from './link.ts';
import { contextFor } from './observation.ts';
import type { Recorder } from './recorder.ts';
import type { EngineCounters } from './counters.ts';
import type { OpenAttempt, OperationRun } from './run.ts';

/** First wait before a dispatch without a report is sent again, milliseconds; doubles up to the longest. */
const firstResend = 1000;
const longestResend = 30_000;

/** Writes the intent of an attempt down, sends it, and sends it again until a report about it is durable. */
export class Dispatcher {
  readonly #recorder: Recorder;
  readonly #links: (site: string) => AgentLink;
  readonly #counters: EngineCounters;

  constructor(recorder: Recorder, links: (site: string) => AgentLink, counters: EngineCounters) {
    this.#recorder = recorder;
    this.#links = links;
    this.#counters = counters;
  }

  /**
   * Makes the intent durable, then sends it.
   * @throws Problem or Error when the input or the context cannot be made; nothing was written then
   */
  async start(run: OperationRun, step: PlannedStep): Promise<void> {
    const input = resolveReferences(step.input, (id) => run.facts.get(id));
    // Made here as well as at sending, so that a missing secret stops the step before there is an intent.
    contextFor(this.#recorder.state, run.subject, input);
    const attempt = {
      key: run.nextKey(step.id),
      kind: step.kind,
      version: step.version,
      input,
      intentAt: this.#recorder.now(),
    };
    run.starting.add(step.id);
    try {
      const record = await this.#journalIntent(run, step, attempt);
      // Given up meanwhile, because the agent was replaced.
      if (this.#recorder.state.attempts.get(record.key)?.outcome !== undefined) return;
      run.open.set(step.id, { record, sentAt: 0, sent: 0, isReported: false });
    } finally {
      run.starting.delete(step.id);
    }
    this.#send(run, step.id);
  }

  /** Attends to what is under way: sends again what nobody reported on, cancels again what is still to end. */
  attend(run: OperationRun): void {
    if (!this.#links(run.site).isConnected) return;
    const now = this.#recorder.clock.now();
    for (const [step, attempt] of run.open) {
      const wait = Math.min(firstResend * 2 ** Math.max(0, attempt.sent - 1), longestResend);
      if (!attempt.isReported && now - attempt.sentAt >= wait) this.#send(run, step);
    }
    this.cancelUnwanted(run);
  }

  /** A new connection: the agent hears of every open attempt again; it answers repeats with what it has on record. */
  sendAll(run: OperationRun): void {
    for (const step of run.open.keys()) this.#send(run, step);
    this.cancelUnwanted(run);
  }

  /** Tells the agent to end what is not wanted any more: waits end at once, a running apply finishes. */
  cancelUnwanted(run: OperationRun): void {
    const link = this.#links(run.site);
    if (!link.isConnected) return;
    for (const [step, attempt] of run.open) if (run.isUnwanted(step)) link.cancel(attempt.record.key);
  }

  #journalIntent(
    run: OperationRun,
    step: PlannedStep,
    attempt: Omit<AttemptRecord, 'epoch'>,
  ): Promise<AttemptRecord> {
    const { state } = this.#recorder;
    const machine = machineIn(attempt.input);
    return this.#recorder.commit((note, at) => {
      // Of the agent that is active when it is written: replacing an agent gives up what was written before.
      const record = { ...attempt, epoch: state.agents.get(run.site)?.epoch ?? this.#links(run.site).epoch };
      state.steps.start(run.id, step.id, record.key.attempt, at);
      state.attempts.add(record);
      if (machine !== undefined) this.#welcome(run.subject.cluster.uid, machine);
      note({
        type: 'step.started',
        cluster: run.cluster,
        operation: run.id,
        step: step.id,
        data: { title: step.title, phase: step.phase, subject: step.subject, attempt: record.key.attempt },
      });
      return record;
    });
  }

  /** A machine is about to be made: whoever had its name before is gone, and the name is no longer that of a leaver. */
  #welcome(cluster: string, { name, incarnation, token, address }: CreateMachine): void {
    const { machines, retirements } = this.#recorder.state;
    const given = address === undefined ? {} : { address: address.split('/')[0] ?? address };
    machines.incarnate(cluster, { name, incarnation, token, ...given });
    retirements.remove(cluster, name);
  }

  /** Undefined while a secret is missing that was there when the intent was written: it is tried again later. */
  #contextNow(run: OperationRun, input: Json): ClusterContext | undefined {
    try {
      return contextFor(this.#recorder.state, run.subject, input);
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }

  #send(run: OperationRun, step: string): void {
    const attempt: OpenAttempt | undefined = run.open.get(step);
    const link = this.#links(run.site);
    if (attempt === undefined || !link.isConnected || attempt.record.epoch !== link.epoch) return;
    const { key, epoch, kind, version, input } = attempt.record;
    const context = this.#contextNow(run, input);
    if (context === undefined) return;
    if (attempt.sent === 0) this.#counters.dispatches += 1;
    else this.#counters.redispatches += 1;
    attempt.sent += 1;
    attempt.sentAt = this.#recorder.clock.now();
    link.dispatch({ key, epoch, kind, version, input, context });
  }
}

/** The machine that an input asks to create, at its top or one level down: its incarnation is kept with the intent. */
function machineIn(input: Json): CreateMachine | undefined {
  if (input === null || typeof input !== 'object') return undefined;
  for (const candidate of [input, ...Object.values(input)]) {
    if (candidate === null || typeof candidate !== 'object' || !('incarnation' in candidate)) continue;
    const parsed = createMachineSchema.safeParse(candidate);
    if (parsed.success) return parsed.data;
  }
  return undefined;
}
