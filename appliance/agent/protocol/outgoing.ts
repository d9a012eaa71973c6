import type { AuthoritySource } from '../../../provisioners/contract/authority.ts';
import type { ClusterPublicKeys, RotationStage } from '../../../provisioners/contract/secrets.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { BackupDestination, BackupManifest } from '../../../provisioners/contract/backup.ts';
import type { TaggedCluster } from '../../../provisioners/contract/provider.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { Sealed, ClusterContext } from './dispatch.ts';
import type { InspectRequest, FoundCluster, ClusterAccount } from './questions.ts';

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
  /** Removes a backup that somebody chose, by hand. One that is gone is success. */
  'backup.remove'(request: {
    readonly context: ClusterContext;
    readonly destination: BackupDestination;
    readonly id: string;
  }): Promise<{ readonly isGone: true }>;
  /** The cluster's keys and a break-glass kubeconfig, sealed to a recipient outside of Remuda. Nothing of it is kept. */
  'cluster.hand-over'(request: {
    readonly context: ClusterContext;
    /** `age1…` */
    readonly recipient: string;
    readonly endpoint: { readonly host: string; readonly port: number };
    /** Goes into the sealed text: whoever knows it has opened it. */
    readonly receipt: string;
  }): Promise<{ readonly sealed: Sealed; readonly kubeconfigEnds: Instant }>;
  /**
   * Brings the keys of a cluster to a stage of the rotation of its authorities; keys that are there already come back as
   * they are. Whoever signs the authorities is asked, as in `drawKeys`. Nothing is kept by the agent.
   */
  'cluster.rotate-keys'(request: {
    readonly context: ClusterContext;
    readonly stage: RotationStage;
    readonly recipients: readonly string[];
    readonly authority?: { readonly source: AuthoritySource; readonly context: ClusterContext };
  }): Promise<{ readonly sealed: Sealed; readonly public: ClusterPublicKeys }>;
  /** Whose things a provider holds, by their tags: also of clusters that nobody remembers. Only reads. */
  'provider.clusters'(request: { readonly context: ClusterContext }): Promise<readonly TaggedCluster[]>;
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
