import type { Json } from '../../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { AttemptKey, Dispatch, AgentReport, Hello, Welcome } from './dispatch.ts';
import type { AgentQuestionName } from './questions.ts';
import type { WatchRequest, HealthReport } from './watch.ts';

/**
 * Names of the events on the socket. Daemon → agent: `dispatch`, `cancel`, `acknowledge`, `ask`, `watch`. Agent →
 * daemon: `hello`, `report`, `health`.
 */
export interface DaemonToAgent {
  dispatch(dispatch: Dispatch): void;
  cancel(key: AttemptKey): void;
  /** Reports up to this sequence are durable here; the agent may forget them, and ended attempts' machine output. */
  acknowledge(sequence: number): void;
  watch(request: WatchRequest): void;
  ask(
    question: { readonly name: AgentQuestionName; readonly request: Json },
    answer: (reply: AskReply) => void,
  ): void;
}

/** Answer to a question, or the problem. */
export type AskReply =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly problem: ProblemReport };

export interface AgentToDaemon {
  hello(hello: Hello, answer: (welcome: Welcome) => void): void;
  /** A batch, in sequence. */
  report(reports: readonly AgentReport[]): void;
  /** Answered when it is kept; without an answer everything is told again. */
  health(report: HealthReport, taken: () => void): void;
}
