import type { Intent } from '../../provisioners/contract/intent.ts';
import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { ClusterDocument, ProviderDocument } from '../spec/documents.ts';

/** What a cluster is planned from. */
export interface ClusterRequest {
  /** Completed with defaults. */
  readonly desired: ClusterDocument;
  readonly provider: ProviderDocument;
  readonly observed: Observed;
  /** Revision of the desired document. */
  readonly revision: string;
  readonly keys: ClusterPublicKeys;
  /** Machines that are to leave because somebody named them. */
  readonly retire?: Readonly<Record<string, Retirement>>;
  /** Ids of checks the user chose to bypass. */
  readonly bypass?: readonly string[];
  /**
   * True when the journal holds a receipt of `control-plane.init` for this cluster. Then a silent API server means an
   * outage, never an empty cluster, and nothing is planned on it.
   */
  readonly isEstablished?: boolean;
  /**
   * False when the journal knows of no join of a master, begun or ended: then no machine but the first can hold a
   * control plane, and none of the others is looked at (and waited for) before it is started.
   */
  readonly mayHaveJoined?: boolean;
  /** Masters whose newest attempt at a join has not ended well. */
  readonly halfJoined?: readonly string[];
  /** The recovery key's recipient: backups are encrypted to it. Without one none is taken. */
  readonly recoveryRecipient?: string;
}

/** What an intent is planned from: all that the cluster itself is planned from. */
export type IntentRequest<Kind extends Intent['kind'] = Intent['kind']> = Omit<ClusterRequest, 'retire'> & {
  readonly intent: Extract<Intent, { kind: Kind }>;
  /** Subjects whose newest attempt at a step of this kind has not ended well, in whatever operation. */
  readonly unfinished?: (kind: string) => readonly string[];
};

/**
 * What the planner of an intent answers; the rest of the plan follows from the request. `intent`: as it was asked, with
 * what the planner decided once and for all that plan again.
 */
export type IntentPlan = Omit<Plan, 'kind' | 'cluster' | 'premises'>;
