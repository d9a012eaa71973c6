import type { ProviderType } from '../../provisioners/contract/provider.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { ProviderFactory } from './ports.ts';

/** What one agent process is made of; main.ts fills it from the command line. */
export interface AgentOptions {
  /** Holds identity, certificate, attempts and outbox; 0700. */
  readonly stateFolder: string;
  readonly payloadFolder: string;
  readonly steps: readonly AnyStep[];
  readonly providers: ReadonlyMap<ProviderType, ProviderFactory>;
  /** Needed once, on the first start: the API's URL and the `<CA hash>.<secret>` token. */
  readonly enrolment?: { readonly server: string; readonly token: string };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A running agent. */
export interface RunningAgent {
  stop(): Promise<void>;
}

/** Enrols if it must, resumes open attempts, connects. @throws UserProblem when it is not enrolled and has no token. */
export async function startAgent(_options: AgentOptions): Promise<RunningAgent> {
  throw new Error('being written');
}
