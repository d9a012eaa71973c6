import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { MachineRole } from '../../provisioners/contract/machine.ts';
import type { OperationKind, Plan } from '../../provisioners/contract/plan.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { Finding } from '../../provisioners/contract/preflight.ts';
import type { Phase } from '../../provisioners/contract/step.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { CertificateSummary } from './certificates/certificates.ts';
import type { HealthSummary } from './health/view.ts';
import type { Agreement } from './agreement.ts';
import type { OperationState, OperationWait } from '../state/operations.ts';
import type { StepState } from '../state/steps.ts';

// The API and the CLI take the types of answers from here: they know nothing of the state room.
export type { EventRecord as EngineEvent } from '../state/events.ts';
export type { LogPage } from '../state/logs.ts';
export type { OperationState } from '../state/operations.ts';

/** A step as people follow it. */
export interface StepView {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly phase: Phase;
  readonly subject: string;
  /** Of the machine that a plan removes: once it is gone nothing else tells. */
  readonly role?: MachineRole;
  readonly after: readonly string[];
  readonly destructive: boolean;
  readonly state: StepState;
  /** Attempts so far over the life of the operation. */
  readonly attempt: number;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  /** False when the first look already said done. */
  readonly changed?: boolean;
  readonly waiting?: Waiting;
  readonly progress?: { readonly done: number; readonly total: number; readonly what: string };
  readonly problem?: ProblemReport;
  /** What later steps may refer to; the last step of a delete leaves the three lists of its proof here. */
  readonly facts?: Json;
}

/** An operation in lists. */
export interface OperationView {
  readonly id: string;
  readonly cluster: { readonly uid: string; readonly name: string };
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly waitingFor?: OperationWait;
  /** A cancel is recorded and not over yet: running steps end first, or the agent is away and cannot be told. */
  readonly isCancelling?: boolean;
  /** Names to approve when it waits for approval. */
  readonly toApprove?: readonly string[];
  /** Who has agreed and how many are missing, where more than one must. */
  readonly agreement?: Agreement;
  /** When a wait for a window or in a pause ends by itself. */
  readonly waitsUntil?: Instant;
  /** Who let it work outside the maintenance windows. */
  readonly outsideWindow?: string;
  /** True for failed and cancelled operations that `resume` may take up again. */
  readonly isResumable: boolean;
  readonly principal: string;
  /** Number of the cluster's revision it works towards. */
  readonly revision: number;
  /** Number and hash of the plan in force: each resume plans again, one number higher. */
  readonly planNumber: number;
  readonly planHash: string;
  readonly bypass: readonly string[];
  readonly createdAt: Instant;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  /** From start to end, or to now while it runs; milliseconds. */
  readonly duration: number;
  readonly steps: {
    readonly total: number;
    readonly ended: number;
    readonly running: number;
    readonly failed: number;
  };
  readonly problem?: ProblemReport;
  readonly supersededBy?: string;
}

/** An operation with everything a person may ask about it. */
export interface OperationDetail extends OperationView {
  readonly plan: Plan;
  readonly stepList: readonly StepView[];
}

/** Where a cluster stands. */
export type ClusterPhase =
  | 'Pending'
  | 'Provisioning'
  | 'Ready'
  | 'Updating'
  | 'Waiting'
  /** Upgraded; the machines from before are kept for the way back. */
  | 'AwaitingFinalize'
  | 'Failed'
  | 'Deleting'
  | 'Deleted';

/** A cluster in lists. */
export interface ClusterView {
  readonly uid: string;
  readonly name: string;
  readonly provider: string;
  readonly phase: ClusterPhase;
  /** Number of the newest revision. */
  readonly revision: number;
  /** Digest of what it stands for. */
  readonly digest: string;
  readonly createdAt: Instant;
  /** The operation that holds it now, or the last one. */
  readonly operation?: OperationView;
  /** Absent while nobody is to look after it. */
  readonly health?: HealthSummary;
  readonly certificates?: CertificateSummary;
}

/** A cluster with what is asked and what was last seen. */
export interface ClusterDetail extends ClusterView {
  /** The completed document. */
  readonly desired: JsonObject;
  /** The same as YAML: `get -o yaml` prints it, and it can be applied again. */
  readonly yaml: string;
  /** The text as the user wrote it, without secrets. */
  readonly text: string;
  /** Absent when nobody has looked yet; its `at` says how old it is. */
  readonly observed?: Observed;
}

/** A provider. */
export interface ProviderView {
  readonly name: string;
  readonly type: string;
  readonly site: string;
  readonly document: JsonObject;
  readonly clusters: readonly string[];
  readonly updatedAt: Instant;
}

/** Answer of `plan`, one entry for each cluster of the file. */
export interface PlanAnswer {
  readonly problems: readonly ProblemReport[];
  readonly plans: readonly ClusterPlan[];
  /** Hash to give to `apply --plan`; covers all clusters of the file. */
  readonly hash: string;
  /** Names of clusters whose plan destroys so much that `apply` needs their names as confirmation. */
  readonly needsConfirmation: readonly string[];
}

/** The plan for one cluster of a file. */
export interface ClusterPlan {
  readonly cluster: string;
  readonly plan: Plan;
  readonly hash: string;
  /** Printed for people. */
  readonly text: string;
  readonly isUnchanged: boolean;
  /** What policies have against the cluster without refusing it; also at the end of `text`. */
  readonly warnings?: readonly ProblemReport[];
}

/** Answer of `preflight`, one entry for each cluster of the file. */
export interface PreflightAnswer {
  readonly problems: readonly ProblemReport[];
  readonly clusters: readonly ClusterPreflight[];
  /** No check failed that is not bypassed, and each that can be made now was made. */
  readonly isPassed: boolean;
}

/** What was checked for one cluster. */
export interface ClusterPreflight {
  readonly cluster: string;
  readonly checks: readonly CheckedStep[];
  /** Titles of the checks that need machines which are not made yet. */
  readonly later: readonly string[];
}

/** One check step and all it found; with a problem it could not be looked to the end. */
export interface CheckedStep {
  /** Id in the plan. */
  readonly step: string;
  readonly title: string;
  readonly findings: readonly Finding[];
  readonly problem?: ProblemReport;
}

/** Answer of `apply`. Nothing in `operations` = exit code 0 and "unchanged". */
export interface ApplyAnswer {
  readonly operations: readonly OperationView[];
  /** Clusters for which there is nothing to do. */
  readonly unchanged: readonly string[];
  /** Documents that were stored: `Provider/dc1`, `Secret/dc1-vcenter`, `Cluster/prod-east`. */
  readonly stored: readonly string[];
}

/** A named secret as it may be shown: never its value. */
export interface SecretView {
  readonly name: string;
  readonly keys: readonly string[];
  /** What it is bound to since its first use; a changed destination demands it anew. */
  readonly destination?: string;
  readonly principal: string;
  readonly updatedAt: Instant;
}

/** A short client certificate and where to use it. */
export interface Credential {
  readonly certificate: string;
  readonly notAfter: Instant;
  readonly caCertificate: string;
  /** `https://host:port` of the API endpoint. */
  readonly server: string;
}

/** Something at a provider that bears the tag of a cluster which is none of ours. */
export interface StrayCluster {
  readonly uid: string;
  readonly name: string;
  readonly provider: string;
  /** It was given away and lives on: shown, and never touched. */
  readonly isReleased: boolean;
  /** In the provider's words. */
  readonly things: readonly { readonly type: string; readonly id: string; readonly name: string }[];
  /** Until when this Remuda knew it; absent when it never did. */
  readonly forgottenAt?: Instant;
  /** The operation that is at work on it now. */
  readonly operation?: string;
}

/** What there is of such clusters, and the providers that could not be asked. */
export interface StrayList {
  readonly strays: readonly StrayCluster[];
  readonly unseen: readonly { readonly provider: string; readonly why: string }[];
}

/** A site's agent. */
export interface AgentView {
  readonly site: string;
  readonly state: 'enrolled' | 'connected' | 'none';
  readonly epoch: number;
  readonly release?: string;
  readonly enrolledAt?: Instant;
  readonly lastSeen?: Instant;
}

/** A fresh enrolment token; its secret is shown once and kept only as a hash. */
export interface EnrolmentToken {
  readonly site: string;
  readonly secret: string;
  readonly expiresAt: Instant;
}

/** Whether the engine can take on work. */
export interface EngineHealth {
  readonly isReady: boolean;
  readonly problem?: ProblemReport;
}
