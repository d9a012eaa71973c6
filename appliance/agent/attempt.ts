import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { AnyStep, StepContext } from '../../provisioners/contract/step.ts';
import type { Clock } from './clock.ts';
import { AgentStopped, HardLimit, StepCancelled } from './interruption.ts';
import type { AttemptKey, Dispatch, Outcome } from './protocol/dispatch.ts';
import { Redactor } from './redaction.ts';
import { runStep } from './step-loop.ts';
import type { Snapshots } from './snapshots.ts';
import type { AttemptStore } from './store.ts';
import type { PortsFactory, Work } from './work.ts';

/** What one attempt is made of. */
interface AttemptOptions {
  readonly dispatch: Dispatch;
  readonly step: AnyStep;
  readonly store: AttemptStore;
  readonly ports: PortsFactory;
  readonly clock: Clock;
  /** What steps of a cluster that look at the same moment share. */
  readonly snapshots: Snapshots;
}

/** Progress is told at most this often, in milliseconds. */
const progressInterval = 250;

/** One attempt: its signals, its voice (redacted), its ports. */
export class Attempt {
  readonly key: AttemptKey;
  readonly #options: AttemptOptions;
  readonly #redactor = new Redactor();
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  readonly #hard = new AbortController();
  readonly #looking: AbortSignal;
  readonly #applying: AbortSignal;
  #signal: AbortSignal;
  #progressAt = 0;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.key = options.dispatch.key;
    this.#applying = AbortSignal.any([this.#stop.signal, this.#hard.signal]);
    this.#looking = AbortSignal.any([this.#applying, this.#cancel.signal]);
    this.#signal = this.#looking;
  }

  /** Waits end at once, a running apply finishes. */
  cancel(): void {
    this.#cancel.abort(new StepCancelled('cancelled'));
  }

  /** The agent ends; the attempt stays open. */
  stop(): void {
    this.#stop.abort(new AgentStopped('the agent stops'));
  }

  /** @throws AgentStopped when the agent ended first. */
  async run(): Promise<Outcome> {
    const { dispatch, step, store, clock } = this.#options;
    const { operation, step: id } = this.key;
    const over = new AbortController();
    clock
      .sleep(step.limits.hard, over.signal)
      .then(() => this.#hard.abort(new HardLimit('the hard limit is over')))
      .catch(() => {});
    try {
      const outcome = await runStep({
        step,
        input: step.schema.parse(dispatch.input),
        context: this.#context(),
        clock,
        signals: { looking: this.#looking, applying: this.#applying },
        enter: (state) => this.#enter(state),
        receipt: {
          read: () => store.receipt(operation, id),
          write: (facts) => store.putReceipt(operation, id, facts, clock.now()),
        },
        reference: `${operation}/${id}#${this.key.attempt}`,
      });
      return this.#redactor.cleanAll(outcome);
    } finally {
      over.abort(new AgentStopped('the attempt is over'));
      this.#enter('looking');
    }
  }

  /** An apply ends where looking begins again, however it ended: whatever was read before it is out of date. */
  #enter(state: 'looking' | 'applying'): void {
    const wasApplying = this.#signal === this.#applying;
    this.#signal = state === 'looking' ? this.#looking : this.#applying;
    if (wasApplying && state === 'looking')
      this.#options.snapshots.forget(this.#options.dispatch.context.cluster.uid);
  }

  #context(): StepContext {
    const { dispatch, clock, snapshots, step } = this.#options;
    const { cluster } = dispatch.context;
    const signal = (): AbortSignal => this.#signal;
    // Before and while something is changed or destroyed, nobody else's look will do.
    const looksAfresh = (): boolean => step.destructive || this.#signal === this.#applying;
    return {
      ...snapshots.share(this.#options.ports(this.#work()), cluster.uid, looksAfresh),
      cluster,
      operation: this.key.operation,
      step: this.key.step,
      attempt: this.key.attempt,
      key: `${this.key.operation}/${this.key.step}`,
      get signal() {
        return signal();
      },
      now: () => clock.now(),
      sleep: (duration: number) => clock.sleep(duration, this.#signal),
      log: (text: string, machine?: string) => this.#log(text, machine),
      progress: (done: number, total: number, what: string) => this.#progress(done, total, what),
      waiting: (waiting: Waiting) => this.#waiting(waiting),
    };
  }

  #work(): Work {
    const { dispatch, store } = this.#options;
    const signal = (): AbortSignal => this.#signal;
    // Streams belong to operation and step, not to the attempt: a later attempt goes on where an earlier one stood.
    const nameOf = (stream: string): string => `${this.key.operation}\n${this.key.step}\n${stream}`;
    return {
      key: this.key,
      epoch: dispatch.epoch,
      context: dispatch.context,
      get signal() {
        return signal();
      },
      log: (text, machine) => this.#log(text, machine),
      hide: (secret) => this.#redactor.hide(secret),
      output: (stream, lines, offset, machine) => {
        for (const line of lines) this.#log(line, machine);
        store.outbox.advance(nameOf(stream), offset);
      },
      outputOffset: (stream) => store.outbox.offset(nameOf(stream)),
    };
  }

  #log(text: string, machine?: string): void {
    const at = this.#options.clock.now();
    const clean = this.#redactor.clean(text);
    this.#options.store.outbox.add({
      type: 'log',
      at,
      key: this.key,
      text: clean,
      ...(machine === undefined ? {} : { machine }),
    });
  }

  #progress(done: number, total: number, what: string): void {
    const at = this.#options.clock.now();
    const time = Date.parse(at);
    if (done < total && time - this.#progressAt < progressInterval) return;
    this.#progressAt = time;
    this.#options.store.outbox.add({
      type: 'progress',
      at,
      key: this.key,
      done,
      total,
      what: this.#redactor.clean(what),
    });
  }

  #waiting(waiting: Waiting): void {
    const at = this.#options.clock.now();
    this.#options.store.outbox.add({
      type: 'waiting',
      at,
      key: this.key,
      waiting: this.#redactor.cleanAll(waiting),
    });
  }
}
