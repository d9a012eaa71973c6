import type { AuthoritySource } from '../../../provisioners/contract/authority.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { ClusterIdentity, MachineRef } from '../../../provisioners/contract/machine.ts';
import type { NodeNetwork, ProviderMachine, TeardownProof } from '../../../provisioners/contract/provider.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { SeenCluster } from '../../../provisioners/contract/found.ts';
import type { Finding } from '../../../provisioners/contract/preflight.ts';
import type { ClusterPublicKeys } from '../../../provisioners/contract/secrets.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { Sealed, ClusterContext } from './dispatch.ts';
import type { AgentOutgoing } from './outgoing.ts';

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

/** Where to begin with a cluster that is to be taken in. */
export interface InspectRequest {
  /** The cluster's uid is not known yet and counts for nothing. */
  readonly context: ClusterContext;
  readonly master: { readonly address: string; readonly port: number; readonly user: string };
  /** Fingerprint of the master's host key, `SHA256:…`; without it whoever answers is believed. */
  readonly hostKey?: string;
  /** A file of known hosts: no machine is logged in to that does not show a key of it. */
  readonly knownHosts?: string;
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
