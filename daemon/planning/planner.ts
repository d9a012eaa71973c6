import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
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
  /** Ids of checks the user chose to bypass. */
  readonly bypass?: readonly string[];
  /**
   * True when the journal holds a receipt of `control-plane.init` for this cluster. Then a silent API server means an
   * outage, never an empty cluster, and nothing is planned on it.
   */
  readonly isEstablished?: boolean;
}

/** What a deletion is planned from. */
export interface DeletionRequest {
  readonly cluster: ClusterIdentity;
  readonly provider: ProviderDocument;
  readonly observed: Observed;
  readonly revision: string;
}

/**
 * The difference between what is asked and what is seen, as a plan; empty when there is none. Pure.
 * @throws UserProblem when the document asks for what this release cannot do; Blocked when too much was unseen
 */
export function planCluster(_request: ClusterRequest): Plan {
  throw new Error('being written');
}

/**
 * Removal of everything, from any half-built state.
 * @throws Blocked when the provider could not be asked
 */
export function planDeletion(_request: DeletionRequest): Plan {
  throw new Error('being written');
}

/** The plan for people: by phase, machines side by side, what is parallel, notices. */
export function describePlan(_plan: Plan): string {
  throw new Error('being written');
}
