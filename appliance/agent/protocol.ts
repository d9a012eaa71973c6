import type { AuthoritySource } from '../../provisioners/contract/authority.ts';
import type { Duration, Instant } from '../../provisioners/contract/time.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { ClusterIdentity, MachineRef } from '../../provisioners/contract/machine.ts';
import type {
  NodeNetwork,
  ProviderConfig,
  ProviderMachine,
  TeardownProof,
} from '../../provisioners/contract/provider.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { SeenCluster } from '../../provisioners/contract/found.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { HealthCondition, HealthNumbers } from '../../provisioners/contract/health.ts';
import type { BackupDestination, BackupManifest } from '../../provisioners/contract/backup.ts';
import type { Finding } from '../../provisioners/contract/preflight.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/**
 * The link between daemon and agent: the only thing of the appliance that the daemon knows. Delivery is by our own
 * sequence numbers and acknowledgements; socket.io is only transport. Version of the protocol: both sides must speak
 * the same or differ by one, otherwise work waits.
 */
export const protocolVersion = 1;

/** Identity of one attempt at one step. Attempts count from 1 over the whole life of the operation. */
export interface AttemptKey {
  readonly operation: string;
  readonly step: string;
  readonly attempt: number;
}

/** A secret sealed (age, X25519) to the site's agent and to the recovery key: text armour. The daemon cannot open it. */
export type Sealed = string;

/** Everything about a cluster that an agent needs besides the step's own input. */
export interface ClusterContext {
  readonly cluster: ClusterIdentity;
  readonly provider: ProviderConfig;
  /** Sealed ClusterKeys; absent before they are drawn. */
  readonly keys?: Sealed;
  /** Sealed JSON objects of user secrets by name, only those that the provider or the step names. */
  readonly secrets: Readonly<Record<string, Sealed>>;
}

/** Order to run one attempt. A duplicate is answered with the recorded result, or joins the running one. */
export interface Dispatch {
  readonly key: AttemptKey;
  readonly epoch: number;
  readonly kind: string;
  readonly version: number;
  readonly input: Json;
  readonly context: ClusterContext;
}

/** How an attempt ended. */
export type Outcome =
  /** `changed` is false when the first look already said done: nothing was applied. */
  | { readonly state: 'succeeded'; readonly facts: Json; readonly changed: boolean }
  | { readonly state: 'failed'; readonly problem: ProblemReport; readonly hardLimit: boolean }
  | { readonly state: 'cancelled' };

/** What the agent tells about attempts. `sequence` rises by one per agent and epoch; unacknowledged ones are sent again. */
export type AgentReport = { readonly sequence: number; readonly at: Instant; readonly key: AttemptKey } & (
  | { readonly type: 'started' }
  | { readonly type: 'log'; readonly text: string; readonly machine?: string }
  | { readonly type: 'progress'; readonly done: number; readonly total: number; readonly what: string }
  | { readonly type: 'waiting'; readonly waiting: Waiting }
  | { readonly type: 'ended'; readonly outcome: Outcome }
);

/** First words of an agent on a new connection. */
export interface Hello {
  readonly protocol: number;
  readonly release: string;
  readonly site: string;
  readonly epoch: number;
  /** Step kinds it ships, with the highest input version it reads. */
  readonly kinds: Readonly<Record<string, number>>;
  /** age recipient of this agent (`age1…`): what secrets are sealed to. */
  readonly recipient: string;
  /** Attempts it has on record that were not acknowledged as ended. */
  readonly open: readonly AttemptKey[];
}

/** The daemon's answer. `acknowledged`: highest report sequence it holds durably. */
export type Welcome =
  | { readonly accepted: true; readonly acknowledged: number }
  | { readonly accepted: false; readonly problem: ProblemReport };

/** Questions that only read or draw, answered directly; a lost answer is asked again. */
export interface AgentQuestions {
  /** Deep enough for planning: a constant number of list calls. */
  observe(request: {
    readonly context: ClusterContext;
    readonly references: Readonly<Record<string, MachineRef>>;
    readonly endpoint?: { readonly host: string; readonly port: number };
    readonly apiPort: number;
    readonly nodeNetwork?: NodeNetwork;
  }): Promise<Omit<Observed, 'references' | 'incarnations' | 'addresses' | 'retired' | 'drift'>>;
  /** Draws a new cluster's keys. Nothing is kept by the agent. */
  drawKeys(request: {
    readonly cluster: ClusterIdentity;
    readonly recipients: readonly string[];
    /** Who signs the authorities, and the context that holds its secret; they sign themselves where it is absent. */
    readonly authority?: { readonly source: AuthoritySource; readonly context: ClusterContext };
  }): Promise<{ readonly sealed: Sealed; readonly public: ClusterPublicKeys }>;
  /** Signs a short client certificate (≤ 1 h) for a person's key; the group is bound by RBAC in the cluster. */
  issueCredential(request: {
    readonly context: ClusterContext;
    readonly user: string;
    readonly groups: readonly string[];
    /** PKCS#10 request, PEM. */
    readonly request: string;
    readonly seconds: number;
  }): Promise<{ readonly certificate: string; readonly notAfter: Instant }>;
  /** What payloads are on board. */
  listPayloads(request: Record<string, never>): Promise<readonly PayloadListing[]>;
  /** Machines and things with our tag at a provider, also of clusters nobody remembers. */
  ledger(request: { readonly context: ClusterContext }): Promise<TeardownProof>;
  /** Machines of a cluster as the provider sees them. */
  machines(request: { readonly context: ClusterContext }): Promise<readonly ProviderMachine[]>;
}

/** A question that came after the first agents: one that does not know it answers with a problem. */
export interface AgentChecks {
  /** Looks once at each of these steps of a plan and applies nothing: what `remuda preflight` shows. */
  preflight(request: {
    readonly context: ClusterContext;
    readonly steps: readonly PreflightStep[];
  }): Promise<readonly PreflightResult[]>;
}

/** A question that came with milestone C. */
export interface AgentDrift {
  /** Looks once at each of these steps and changes nothing. */
  drift(request: {
    readonly context: ClusterContext;
    readonly steps: readonly PreflightStep[];
  }): Promise<readonly DriftLook[]>;
}

/** What one look at a step found; of `different` and `unknown` the sentences say what or why. */
export interface DriftLook {
  readonly step: string;
  readonly state: 'as-asked' | 'different' | 'unsettled' | 'unknown';
  readonly differences: readonly string[];
}

/** A step of the phase `preflight` with everything it needs to look. */
export interface PreflightStep {
  /** Id in the plan. */
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly input: Json;
}

/** What one look found. With a problem it could not be looked at all, or not to the end. */
export interface PreflightResult {
  readonly step: string;
  readonly findings: readonly Finding[];
  readonly problem?: ProblemReport;
}

/**
 * What the agent does for people outside of any operation: at addresses that an administrator gave, and inside clusters.
 * The daemon opens no such connection.
 */
export interface AgentOutgoing {
  /** Walks the way of a sign-in with nobody's name, and says in a code how far it came. */
  'directory.test'(request: DirectoryAccess): Promise<DirectoryCheck>;
  /** Whether the directory knows this person by this password. Neither is kept or logged. */
  'directory.authenticate'(
    request: DirectoryAccess & { readonly name: string; readonly password: string },
  ): Promise<DirectoryAnswer>;
  /** Hands rows of the audit trail to a receiver. Repeated until it is known that they arrived: each bears its hash. */
  'audit.deliver'(request: AuditDelivery): Promise<AuditDelivered>;
  /** Hands alerts to a webhook. Repeated until it is known that they arrived: each batch bears its key. */
  'alert.deliver'(request: AlertDelivery): Promise<Delivered>;
  /** Finished backups of a cluster at a destination, newest first, as what lies beside them says. Only reads. */
  'backup.list'(request: {
    readonly context: ClusterContext;
    readonly destination: BackupDestination;
  }): Promise<readonly BackupManifest[]>;
  /** The cluster's keys and a break-glass kubeconfig, sealed to a recipient outside of Remuda. Nothing of it is kept. */
  'cluster.hand-over'(request: {
    readonly context: ClusterContext;
    /** `age1…` */
    readonly recipient: string;
    readonly endpoint: { readonly host: string; readonly port: number };
    /** Goes into the sealed text: whoever knows it has opened it. */
    readonly receipt: string;
  }): Promise<{ readonly sealed: Sealed; readonly kubeconfigEnds: Instant }>;
  /** Looks at a cluster that is to be taken in, by way of one of its masters, and reads its keys. Changes nothing. */
  'cluster.inspect'(request: InspectRequest): Promise<FoundCluster>;
  /** A token for one person inside a cluster: an account of its own, bound to a role. */
  'cluster.token'(
    request: ClusterAccount & {
      readonly principal: string;
      /** Name of a ClusterRole. */
      readonly role: string;
      readonly seconds: number;
    },
  ): Promise<{ readonly token: string; readonly expiresAt: Instant }>;
  /** Removes the account: its tokens are worth nothing from then on. One that is gone is success. */
  'cluster.revoke-token'(request: ClusterAccount): Promise<{ readonly isGone: true }>;
}

/** Where to begin with a cluster that is to be taken in. */
export interface InspectRequest {
  /** The cluster's uid is not known yet and counts for nothing. */
  readonly context: ClusterContext;
  readonly master: { readonly address: string; readonly port: number; readonly user: string };
  /** Fingerprint of the master's host key, `SHA256:…`; without it whoever answers is believed. */
  readonly hostKey?: string;
  /** Sealed JSON object; its key `privateKey` may log in everywhere. */
  readonly login: Sealed;
  readonly apiPort: number;
  /** To whom the cluster's keys are sealed. */
  readonly recipients: readonly string[];
}

/** A cluster as it was found, and its keys. */
export interface FoundCluster extends SeenCluster {
  /** Its keys, with a new SSH key. */
  readonly keys: { readonly sealed: Sealed; readonly public: ClusterPublicKeys };
  /** The same with the SSH key that may log in now. */
  readonly access: Sealed;
}

/** An account of one person inside a cluster. */
export interface ClusterAccount {
  readonly context: ClusterContext;
  readonly masters: readonly MachineRef[];
  readonly apiPort: number;
  /** Id of the credential: what the account is called by. */
  readonly id: string;
}

/** Where rows of the audit trail go. */
export type AuditReceiver =
  | {
      readonly type: 'syslog';
      /** `tls://host[:port]` or `tcp://host[:port]`. */
      readonly server: string;
      /** PEM; without it the public authorities are believed. */
      readonly authority?: string;
    }
  | {
      readonly type: 'webhook';
      /** `https://…` */
      readonly server: string;
      readonly authority?: string;
    };

/** Rows of the audit trail on their way. */
export interface AuditDelivery {
  readonly receiver: AuditReceiver;
  /** Sealed JSON object; its key `hmac` signs what goes to a webhook. */
  readonly secret?: Sealed;
  /** The same whenever the same rows are sent again. */
  readonly key: string;
  readonly rows: readonly Json[];
  /** Last row of the whole trail, when this was sent. */
  readonly head: { readonly number: number; readonly hash: string };
}

/** Alerts on their way to a webhook. */
export interface AlertDelivery {
  /** `https://…` */
  readonly server: string;
  /** PEM; without it the public authorities are believed. */
  readonly authority?: string;
  /** Sealed JSON object; its key `hmac` signs what is sent. */
  readonly secret: Sealed;
  /** The same whenever the same alerts are sent again. */
  readonly key: string;
  readonly body: Json;
}

/** Whether the receiver has all of the rows. */
export type AuditDelivered = Delivered;

/** Whether a receiver has what was sent. */
export type Delivered =
  | { readonly isDelivered: true }
  | { readonly isDelivered: false; readonly problem: ProblemReport };

/** A directory and the sealed secret of the account that searches it. */
export interface DirectoryAccess {
  readonly config: DirectoryConfig;
  /** Sealed JSON object; its key `password` is the account's. */
  readonly secret: Sealed;
}

/** An LDAP directory as an administrator described it. */
export interface DirectoryConfig {
  /** `ldaps://host[:port]`, or `ldap://host[:port]`, which never says anything before StartTLS. */
  readonly server: string;
  /** PEM of the only authorities that are believed. */
  readonly authority: string;
  /** DN of the account that searches. */
  readonly account: string;
  readonly people: {
    readonly base: string;
    /** RFC 4515; who counts as a person. */
    readonly filter: string;
    /** Attribute that people type as their name: `uid`, `sAMAccountName`. */
    readonly login: string;
    readonly displayName: string;
  };
  readonly groups: {
    readonly base: string;
    readonly filter: string;
    /** Attribute of a group that names its members. */
    readonly member: string;
    /**
     * `member`: groups that name the person, then groups that name those groups. `memberOf`: the same by the attribute
     * that the server keeps on the member. `inChain`: Active Directory walks the chain itself.
     */
    readonly nesting: 'member' | 'memberOf' | 'inChain';
  };
}

/** How far a connection test came. The codes are explained in the manual; nothing of what the server said is in it. */
export interface DirectoryCheck {
  readonly isReachable: boolean;
  /** Absent when everything went well. */
  readonly problem?: ProblemReport;
}

/** What the directory says of a name and a password. */
export type DirectoryAnswer =
  | {
      readonly outcome: 'person';
      /** As the directory writes it, whatever way it was typed. */
      readonly login: string;
      readonly displayName: string;
      /** DNs of all groups, also by way of other groups. */
      readonly groups: readonly string[];
    }
  /** No such person, more than one, or another password: which of them is not told. */
  | { readonly outcome: 'refused' }
  /** It could not be asked. */
  | { readonly outcome: 'away'; readonly problem: ProblemReport };

/** One payload in the agent's cache. */
export interface PayloadListing {
  readonly name: string;
  readonly kubernetesVersion: string;
  readonly flavour: 'lab' | 'upstream';
  readonly bytes: number;
  readonly digest: string;
  readonly provenance: string;
}

/** Every question there is. */
export type AgentQuestionName =
  | keyof AgentQuestions
  | keyof AgentChecks
  | keyof AgentDrift
  | keyof AgentOutgoing;

/**
 * Whose health an agent looks after, from now on and until it is told otherwise or ends. Held in memory alone: each
 * connection begins with the whole list. An agent of an earlier release does not know this and tells nothing.
 */
export interface WatchRequest {
  readonly epoch: number;
  /** Pause between two looks at one cluster, milliseconds. */
  readonly every: Duration;
  /** Uids of all that are watched: whoever is not among them is forgotten. */
  readonly all: readonly string[];
  /** Those that are new to the agent or have changed. */
  readonly set: readonly WatchedCluster[];
}

/** A cluster as far as looking after it needs it. Its keys stay sealed until a look opens them, in memory. */
export interface WatchedCluster {
  readonly context: ClusterContext;
  /** Machines that were met and are to stay. */
  readonly references: Readonly<Record<string, MachineRef>>;
  readonly endpoint?: { readonly host: string; readonly port: number };
  readonly apiPort: number;
  readonly kubernetesVersion: string;
  /** An operation works on it: machines may be on their way, and of more than one version. */
  readonly isChanging: boolean;
}

/** A condition and since when the agent has seen it in this state. */
export type ReportedCondition = HealthCondition & { readonly since: Instant };

/** What has changed of a cluster's health since the agent was last heard of it; the whole of it the first time. */
export interface HealthReport {
  readonly epoch: number;
  /** Uid of the cluster. */
  readonly cluster: string;
  readonly at: Instant;
  readonly conditions: readonly ReportedCondition[];
  readonly numbers: HealthNumbers;
  /** Requests of kubelets for serving certificates that were denied; may be told more than once. */
  readonly denied?: readonly ServingDenial[];
}

/** A kubelet asked to serve under what is not its own. */
export interface ServingDenial {
  /** Name of the CertificateSigningRequest. */
  readonly request: string;
  readonly username: string;
  readonly why: string;
}

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

/** Body of `POST /api/v1/agents/enrol`: the single-use token's secret and a PKCS#10 request for the client certificate. */
export interface EnrolRequest {
  readonly secret: string;
  readonly request: string;
  readonly recipient: string;
  readonly release: string;
}

/** Its answer. */
export interface EnrolAnswer {
  readonly certificate: string;
  readonly authority: string;
  readonly site: string;
  readonly epoch: number;
  /** Port of the link listener, which accepts only client certificates. */
  readonly linkPort: number;
}
