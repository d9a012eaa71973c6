import type { AnyStep } from '../../provisioners/contract/step.ts';
import type { Clock } from './clock.ts';
import type { AgentReport, AttemptKey, Dispatch } from './protocol.ts';
import type { AttemptStore } from './store.ts';
import type { PortsFactory } from './work.ts';

/** What a runner is made of; nothing here knows of sockets or SSH. */
export interface AttemptRunnerOptions {
  /** The kinds this agent ships. */
  readonly steps: ReadonlyMap<string, AnyStep>;
  readonly store: AttemptStore;
  readonly ports: PortsFactory;
  readonly clock: Clock;
}

/** Runs attempts: each recorded before it starts, ended only with a durable report. */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
  }

  /** Called (once a flush) when there are new reports to send. */
  onReports(_handler: () => void): void {
    throw new Error('being written');
  }

  /** Starts the attempt, joins the running one, or sends the recorded end again. Never throws: refusals are reports. */
  dispatch(_dispatch: Dispatch): void {
    void this.#options;
    throw new Error('being written');
  }

  /** Waits end at once, a running apply finishes. An unknown key is ignored. */
  cancel(_key: AttemptKey): void {
    throw new Error('being written');
  }

  /** Reports up to this sequence may be forgotten. */
  acknowledge(_sequence: number): void {
    throw new Error('being written');
  }

  /** Durable reports after this sequence, in order, at most `limit`. */
  reports(_after: number, _limit: number): readonly AgentReport[] {
    throw new Error('being written');
  }

  /** Attempts on record whose end was not acknowledged. */
  open(): readonly AttemptKey[] {
    throw new Error('being written');
  }

  /** Takes up every attempt that was open when the last process ended. Call once, after construction. */
  resume(): void {
    throw new Error('being written');
  }

  /** Ends in order: waits stop, log lines become durable, attempts stay open for the next process. */
  async stop(): Promise<void> {
    throw new Error('being written');
  }

  /** Ends as a kill would: from now on nothing is written or reported. For fault tests. */
  abandon(): void {
    throw new Error('being written');
  }
}
