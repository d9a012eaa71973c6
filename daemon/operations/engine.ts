import type { AgentQuestions, EnrolRequest, Sealed } from '../../appliance/agent/protocol.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { State } from '../state/state.ts';
import type { Clock } from '../state/clock.ts';
import type { AgentLink } from './link.ts';
import type { Planners } from './planners.ts';
import type {
  AgentView,
  ApplyAnswer,
  ApplyRequest,
  ClusterDetail,
  ClusterView,
  DeleteRequest,
  EngineCounters,
  EngineEvent,
  EngineHealth,
  EnrolmentToken,
  EventFilter,
  FileRequest,
  LiveItem,
  LogPage,
  OperationDetail,
  OperationView,
  PlanAnswer,
  ProviderView,
  SecretRequest,
  SecretView,
} from './requests.ts';

/** What the engine is made of. main.ts wires the real parts, tests wire fakes. */
export interface EngineParts {
  readonly state: State;
  /** The link to a site's agent; one object a site for the life of the process, connected or not. */
  readonly links: (site: string) => AgentLink;
  readonly planners: Planners;
  readonly clock: Clock;
  /** A new unique id, URL-safe. */
  readonly ids: () => string;
  /** Folder for the operations' log files; made when missing. */
  readonly logDirectory: string;
  /** Seals a text to age recipients. The engine cannot open what comes back. */
  readonly seal: (plaintext: string, recipients: readonly string[]) => Promise<Sealed>;
  /** Recovery key's recipient (`age1…`): everything is sealed to it beside the site's agent. */
  readonly recoveryRecipient?: string;
}

const notYet = (): never => {
  throw new Error('not there yet');
};

/**
 * The durable heart: takes requests, plans, journals, runs, resumes. Every method that changes something throws
 * {@link Refusal} when it refuses, with nothing changed; ids that do not exist are refusals of reason `not-found`.
 */
export class Engine {
  readonly counters: EngineCounters;

  constructor(_parts: EngineParts) {
    this.counters = notYet();
  }

  /** Takes up everything that was running when the last process ended, unasked. Returns once that is under way. */
  async start(): Promise<void> {
    return notYet();
  }
  /** Stops taking work, waits for what is being journalled, leaves operations as they are: the next start resumes them. */
  async stop(): Promise<void> {
    return notYet();
  }
  health(): EngineHealth {
    return notYet();
  }

  /** Every problem of a file, without looking at anything but the file and the store. */
  validate(_text: string, _file: string): { readonly problems: readonly ProblemReport[] } {
    return notYet();
  }
  /** What `apply` would do, from a fresh observation. Starts nothing. */
  async plan(_request: FileRequest): Promise<PlanAnswer> {
    return notYet();
  }
  async apply(_request: ApplyRequest): Promise<ApplyAnswer> {
    return notYet();
  }
  async planDelete(_request: DeleteRequest): Promise<PlanAnswer> {
    return notYet();
  }
  async deleteCluster(_request: DeleteRequest): Promise<OperationView> {
    return notYet();
  }

  /** Newest first. */
  listOperations(_filter?: { readonly cluster?: string; readonly limit?: number }): readonly OperationView[] {
    return notYet();
  }
  getOperation(_id: string): OperationDetail {
    return notYet();
  }
  /** Plans again and goes on: failed or cancelled operations. */
  async resumeOperation(_id: string, _principal: string): Promise<OperationView> {
    return notYet();
  }
  /** Waits end at once, a running apply finishes; then the operation is `cancelled`. */
  async cancelOperation(_id: string, _principal: string): Promise<OperationView> {
    return notYet();
  }
  /** Agrees to what the waiting plan destroys; `confirm` is the cluster's name. */
  async approveOperation(
    _id: string,
    _request: { readonly principal: string; readonly confirm: string },
  ): Promise<OperationView> {
    return notYet();
  }

  listClusters(): readonly ClusterView[] {
    return notYet();
  }
  getCluster(_name: string): ClusterDetail {
    return notYet();
  }
  /** Looks afresh through the agent and keeps what was seen. */
  async observe(_name: string): Promise<Observed> {
    return notYet();
  }
  listProviders(): readonly ProviderView[] {
    return notYet();
  }
  getProvider(_name: string): ProviderView {
    return notYet();
  }

  /** Seals the values to the sites' agents and the recovery key and keeps only that. */
  async setSecret(_request: SecretRequest): Promise<SecretView> {
    return notYet();
  }
  listSecrets(): readonly SecretView[] {
    return notYet();
  }
  async removeSecret(_name: string, _principal: string): Promise<void> {
    return notYet();
  }
  /** A short client certificate (seconds ≤ 3600) for a key that never leaves the caller. `request` is a PKCS#10 PEM. */
  async issueCredential(_request: {
    readonly cluster: string;
    readonly principal: string;
    readonly groups: readonly string[];
    readonly request: string;
    readonly seconds: number;
  }): Promise<{
    readonly certificate: string;
    readonly notAfter: string;
    readonly caCertificate: string;
    readonly server: string;
  }> {
    return notYet();
  }

  listAgents(): readonly AgentView[] {
    return notYet();
  }
  /** A single-use token (256 bit) for one agent of a site; only its hash is kept. */
  async createEnrolmentToken(_request: {
    readonly site: string;
    readonly principal: string;
    readonly minutes: number;
  }): Promise<EnrolmentToken> {
    return notYet();
  }
  /** Uses up the token and makes the caller the site's agent. Refuses a used, expired or unknown token alike. */
  async enrolAgent(
    _request: Pick<EnrolRequest, 'secret' | 'recipient' | 'release'>,
  ): Promise<{ readonly site: string; readonly epoch: number }> {
    return notYet();
  }
  /** Raises the site's epoch: the old agent is refused from now on, its open attempts are given up and planned anew. */
  async replaceAgent(_request: {
    readonly site: string;
    readonly principal: string;
    readonly minutes: number;
  }): Promise<EnrolmentToken> {
    return notYet();
  }
  /** Highest report sequence that is durable for a site's epoch: what the link answers in `Welcome`. */
  acknowledgedSequence(_site: string, _epoch: number): number {
    return notYet();
  }

  /** Events after a number, oldest first, at most `limit` (default 1000). */
  events(_after: number, _filter?: EventFilter): readonly EngineEvent[] {
    return notYet();
  }
  /** Log lines after a number, at most `limit` (default 1000). */
  async logLines(_operation: string, _after: number, _limit?: number): Promise<LogPage> {
    return notYet();
  }
  /** Live events and log lines from now on; the answer ends it. Ask for the past first with the last number you hold. */
  subscribe(_listener: (item: LiveItem) => void): () => void {
    return notYet();
  }
  async listPayloads(_site?: string): Promise<Awaited<ReturnType<AgentQuestions['listPayloads']>>> {
    return notYet();
  }
}
