import type { AgentChecks, AgentDrift, AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { AgentOutgoing } from '../../appliance/agent/protocol/outgoing.ts';
import type { AgentReport, AttemptKey, Dispatch } from '../../appliance/agent/protocol/dispatch.ts';
import type { HealthReport, WatchRequest } from '../../appliance/agent/protocol/watch.ts';

/**
 * The daemon's end of the link to one site's agent. The socket implements it for real; the in-process harness of the
 * fault tests implements it over a plain queue with losses. Dispatches and reports may be lost or repeated: the runner
 * sends a dispatch again until a report about it is durable, and ignores reports it already holds.
 */
export interface AgentLink {
  /** Whether an accepted agent (protocol and epoch agreed) is connected now. */
  readonly isConnected: boolean;
  /** Epoch of the site's active agent. */
  readonly epoch: number;
  dispatch(dispatch: Dispatch): void;
  cancel(key: AttemptKey): void;
  /** Everything up to this sequence is durable in the journal. */
  acknowledge(sequence: number): void;
  /** @throws Transient when no agent answers in time, or the agent's own Problem. */
  ask<Name extends keyof AgentQuestions>(
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>>;
  /** Looks at checks without an operation. @throws as {@link ask} */
  preflight: AgentChecks['preflight'];
  /** Looks deep without an operation. Absent where nobody knows this question. @throws as {@link ask} */
  readonly drift?: AgentDrift['drift'];
  /** What only the agent may do: to speak with servers that a user named. Absent where nobody knows these questions. */
  readonly reach?: <Name extends keyof AgentOutgoing>(
    name: Name,
    request: Parameters<AgentOutgoing[Name]>[0],
  ) => Promise<Awaited<ReturnType<AgentOutgoing[Name]>>>;
  /** Clusters between operations. Absent where nobody looks after them. */
  readonly health?: HealthLink;
  /** Called with each batch in sequence; the handler journals before it returns. */
  onReports(handler: (reports: readonly AgentReport[]) => void): void;
  /** Called on each accepted connection with the attempts that the agent has on record as open. */
  onConnected(handler: (open: readonly AttemptKey[]) => void): void;
}

/** What goes over a link about the health of clusters. */
export interface HealthLink {
  /** Whom the agent is to watch; lost when none is connected: a new connection is told everything. */
  watch(request: WatchRequest): void;
  /** Called with each report of the active agent; when it resolves, the agent need not tell it again. */
  onHealth(handler: (report: HealthReport) => Promise<void>): void;
}
