import type { Intent } from '../../provisioners/contract/intent.ts';
import type { Retirement } from '../../provisioners/contract/observed.ts';
import { Problem, type ProblemReport } from '../../provisioners/contract/problem.ts';
import type { MachineChange } from '../planning/machine-change.ts';

/** Why the engine did not do what was asked; the API and the CLI make status and exit codes of it. */
export type RefusalReason =
  /** The file or the request cannot be (CLI exit 2). */
  | 'invalid'
  /** No such cluster, operation, agent… */
  | 'not-found'
  /** Something else runs, or the revision is another than the caller believed (exit 8). */
  | 'conflict'
  /** The plan destroys and the cluster's name was not given (exit 7). */
  | 'needs-confirmation'
  /** The plan is no longer the reviewed one; `changes` says what differs (exit 8). */
  | 'plan-changed'
  /** The agent or the disk is not there just now; asking again later may do. */
  | 'unavailable';

/** A request that was refused; nothing was changed. */
export class Refusal extends Problem {
  readonly reason: RefusalReason;
  /** Every problem at once (invalid files have many); the first is also this error's own report. */
  readonly problems: readonly ProblemReport[];
  /** What differs from the reviewed plan, one sentence each. */
  readonly changes: readonly string[];

  constructor(
    reason: RefusalReason,
    problems: readonly [ProblemReport, ...ProblemReport[]],
    changes: readonly string[] = [],
  ) {
    const [{ kind, code, summary, ...details }] = problems;
    super(kind, code, summary, details);
    this.reason = reason;
    this.problems = problems;
    this.changes = changes;
  }
}

/** Text that came with a request, and who sent it. */
export interface FileRequest {
  readonly text: string;
  /** Name for messages: path, or `-`. */
  readonly file: string;
  /** Id of the principal, recorded with whatever comes of it. */
  readonly principal: string;
  /** Ids of bypassable checks to bypass; they are part of the plan. */
  readonly bypass?: readonly string[];
  /** Machines of the file's cluster that are to leave because somebody named them. */
  readonly retire?: Readonly<Record<string, Retirement>>;
}

/** `apply`. */
export interface ApplyRequest extends FileRequest {
  /** Run exactly the plan with this hash, or refuse with what changed. */
  readonly planHash?: string;
  /** Names of clusters whose destructive plan is confirmed. */
  readonly confirm?: readonly string[];
  /** A repeat with the same key gets the same answer and starts nothing. */
  readonly idempotencyKey?: string;
  /** Refuse unless the (one) cluster's newest revision has this number; 0 = must not exist. */
  readonly ifRevision?: number;
  /** Digest of what was asked, where the text was made from it: a repeat makes another text of the same wish. */
  readonly digest?: string;
}

/** `machine add`, `machine remove`, `machine replace`, and their plans. */
export interface MachineChangeRequest {
  readonly cluster: string;
  readonly principal: string;
  readonly change: MachineChange;
  readonly bypass?: readonly string[];
  readonly planHash?: string;
  /** The cluster's name, where the plan needs it. */
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** What is wanted once of a cluster that is there, and its plan. */
export interface IntentRequest {
  readonly cluster: string;
  readonly principal: string;
  readonly intent: Intent;
  readonly bypass?: readonly string[];
  readonly planHash?: string;
  /** The cluster's name, where the plan needs it. */
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** `delete`, and its plan. */
export interface DeleteRequest {
  readonly name: string;
  readonly principal: string;
  /** The cluster's name once more; a delete always needs it. */
  readonly confirm?: string;
  readonly planHash?: string;
  readonly volumes?: 'retain' | 'delete';
  /** What becomes of Services and claims that a finalizer holds; else the document says. */
  readonly whenBlocked?: 'wait' | 'skip';
  readonly idempotencyKey?: string;
}

/** `remuda secret set`. The values live in memory until they are sealed. */
export interface SecretRequest {
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
  readonly principal: string;
}

/** What somebody needs to speak with a cluster. */
export interface CredentialRequest {
  readonly cluster: string;
  /** Name in the certificate. */
  readonly principal: string;
  readonly groups: readonly string[];
  /** PKCS#10 request, PEM. */
  readonly request: string;
  readonly seconds: number;
}

/** Which operations to answer. */
export interface OperationFilter {
  /** Name of a living cluster, or uid of any. */
  readonly cluster?: string;
  readonly limit?: number;
  /** Only those older than the operation of this id. */
  readonly before?: string;
}

/** Which events to answer. */
export interface EventFilter {
  readonly cluster?: string;
  readonly operation?: string;
  readonly limit?: number;
}
