import type { AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { AgentReport, Dispatch, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { AgentLink } from '../../daemon/operations/link.ts';

type Unnumbered<Report> = Report extends AgentReport ? Omit<Report, 'sequence' | 'at'> : never;

/** What stands in for machines and the provider. */
export interface InstantWorld {
  /** Milliseconds since the epoch; a bench may live through a year in a minute. */
  readonly now: () => number;
  readonly observe: AgentQuestions['observe'];
  /** How a step ends, with a line of its log; undefined = it stays under way. */
  readonly work: (dispatch: Dispatch) => { readonly text: string; readonly outcome: Outcome } | undefined;
}

/**
 * A fake agent for benches: in the daemon's own process, connected all the time, and done with every step at once. Its
 * reports come in bunches, as those of a busy agent do.
 */
export class InstantAgent implements AgentLink {
  readonly isConnected = true;
  readonly epoch = 1;
  readonly #world: InstantWorld;
  #deliver: (reports: readonly AgentReport[]) => void = () => undefined;
  #sequence = 0;
  #batch: AgentReport[] = [];

  constructor(world: InstantWorld) {
    this.#world = world;
  }

  dispatch(dispatch: Dispatch): void {
    const { key } = dispatch;
    this.#report({ type: 'started', key });
    const done = this.#world.work(dispatch);
    if (done === undefined) return;
    this.#report({ type: 'log', key, text: done.text });
    this.#report({ type: 'ended', key, outcome: done.outcome });
  }

  cancel(): void {}

  acknowledge(): void {}

  async ask<Name extends keyof AgentQuestions>(
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    const answers: Partial<AgentQuestions> = {
      drawKeys: async () => ({
        sealed: 'sealed '.repeat(1200),
        public: {
          caHash: 'sha256:00',
          caCertificate: 'certificate '.repeat(90),
          sshPublicKey: 'ssh-ed25519 AAAA',
        },
      }),
      observe: this.#world.observe,
    };
    const answer: AgentQuestions[Name] | undefined = answers[name];
    if (answer === undefined) throw new Error(`the agent of the bench cannot answer ${name}`);
    // reason: TypeScript does not see that a name's answer takes that name's request
    return await (answer as (given: typeof request) => ReturnType<AgentQuestions[Name]>)(request);
  }

  preflight(): Promise<never> {
    return Promise.reject(new Error('the agent of the bench checks nothing'));
  }

  onReports(handler: (reports: readonly AgentReport[]) => void): void {
    this.#deliver = handler;
  }

  onConnected(): void {}

  #report(body: Unnumbered<AgentReport>): void {
    this.#sequence += 1;
    this.#batch.push({ sequence: this.#sequence, at: new Date(this.#world.now()).toISOString(), ...body });
    if (this.#batch.length > 1) return;
    setImmediate(() => {
      const reports = this.#batch;
      this.#batch = [];
      this.#deliver(reports);
    });
  }
}
