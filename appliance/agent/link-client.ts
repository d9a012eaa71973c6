import type { AgentQuestions, Hello } from './protocol.ts';
import type { AttemptRunner } from './attempts.ts';

/** What the agent's end of the link is made of. All certificates and keys PEM. */
export interface LinkClientOptions {
  /** `https://host:port` of the daemon's link listener. */
  readonly url: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly hello: () => Hello;
  readonly runner: AttemptRunner;
  readonly questions: AgentQuestions;
}

/** The agent's end of the link: says hello, takes dispatches, sends reports until they are acknowledged. */
export class AgentLinkClient {
  readonly #options: LinkClientOptions;

  constructor(options: LinkClientOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#options;
    throw new Error('being written');
  }

  async stop(): Promise<void> {
    throw new Error('being written');
  }
}
