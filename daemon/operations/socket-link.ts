import type { AgentQuestions, AgentReport, AttemptKey, Dispatch } from '../../appliance/agent/protocol.ts';
import type { AgentLink } from './link.ts';

/** What the daemon's end of a site's link is made of. */
export interface SocketLinkOptions {
  readonly site: string;
  /** Epoch of the site's active agent, from the records of enrolment; read at each hello. */
  readonly epoch: () => number;
  /** Highest report sequence of that epoch which the journal holds; read at each hello. */
  readonly acknowledged: () => number;
}

/** The socket.io end of {@link AgentLink}. */
export class SocketLink implements AgentLink {
  readonly #options: SocketLinkOptions;

  constructor(options: SocketLinkOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return false;
  }

  get epoch(): number {
    return this.#options.epoch();
  }

  dispatch(_dispatch: Dispatch): void {
    throw new Error('being written');
  }

  cancel(_key: AttemptKey): void {
    throw new Error('being written');
  }

  acknowledge(_sequence: number): void {
    throw new Error('being written');
  }

  ask<Name extends keyof AgentQuestions>(
    _name: Name,
    _request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    throw new Error('being written');
  }

  onReports(_handler: (reports: readonly AgentReport[]) => void): void {
    throw new Error('being written');
  }

  onConnected(_handler: (open: readonly AttemptKey[]) => void): void {
    throw new Error('being written');
  }
}

/** What the listener that only agents can reach is made of. All PEM. */
export interface LinkListenerOptions {
  readonly host: string;
  /** 0 = any free one; the real one is in the result. */
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** The site CA: only client certificates signed by it get as far as a hello. */
  readonly authority: string;
  readonly links: readonly SocketLink[];
}

/** Listens for agents: TLS 1.3 with a client certificate that names site and epoch. */
export async function listenForAgents(
  _options: LinkListenerOptions,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  throw new Error('being written');
}
