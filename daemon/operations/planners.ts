import type { AuthoritySource } from '../../provisioners/contract/authority.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { SeenCluster } from '../../provisioners/contract/found.ts';
import type { Intent } from '../../provisioners/contract/intent.ts';
import type { DriftRemedy, Observed, Retirement } from '../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import type { Place, ProblemReport } from '../../provisioners/contract/problem.ts';
import type { NodeNetwork, ProviderConfig } from '../../provisioners/contract/provider.ts';
import type { Duration } from '../../provisioners/contract/time.ts';
import type { FoundComparison } from '../planning/found-cluster.ts';
import type { MachineChange } from '../planning/machine-change.ts';
import type { MaintenanceWindow } from '../planning/maintenance-window.ts';
import type { Released } from '../../provisioners/contract/released.ts';
import type { BackupSettings } from '../spec/backup.ts';
import type { PolicyDocument } from '../spec/documents.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';

/** When and on whose word Remuda may go on (`spec.maintenance`). */
export interface MaintenanceRules {
  /** What disturbs what runs begins only in one of these; at any time when there are none. */
  readonly windows: readonly MaintenanceWindow[];
  /** How many principals must agree before a plan that needs confirmation begins; the one who asks is one of them. */
  readonly approvals: number;
  /** Between the end of one machine's way out and the beginning of the next one's, milliseconds. */
  readonly pauseBetween: Duration;
}

/** A cluster as somebody asked for it, completed with defaults, and what the engine itself reads of it. */
export interface DesiredCluster {
  readonly name: string;
  /** Name of its Provider document. */
  readonly provider: string;
  /** The completed document, as it is kept, hashed and planned from. Holds no secret. */
  readonly document: JsonObject;
  readonly endpoint?: { readonly host: string; readonly port: number };
  readonly apiPort: number;
  readonly nodeNetwork?: NodeNetwork;
  /** Machines a plan may destroy before it needs confirmation by the cluster's name (`maintenance.destroyLimit`). */
  readonly destroyLimit: number;
  readonly maintenance: MaintenanceRules;
  /** Where backups go, which are kept, and when they are made by themselves. */
  readonly backup: BackupSettings;
  /** Secrets that hooks give away, and the server each is for. */
  readonly hookSecrets: readonly { readonly name: string; readonly destination: string }[];
  /** Who signs the cluster's authorities; absent where they sign themselves. */
  readonly authority?: AuthoritySource;
  /** `deletion.protected`: delete refuses while it is set. */
  readonly isProtected: boolean;
}

/** A provider as somebody described it. */
export interface DesiredProvider {
  readonly name: string;
  readonly config: ProviderConfig;
  readonly document: JsonObject;
  /** Site whose agent works for it. */
  readonly site: string;
  /** The place secrets given for this provider go to; another destination demands them anew. */
  readonly destination: string;
}

/** A secret that came inside a stream. It lives in memory until it is sealed and never longer. */
interface GivenSecret {
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

/** A parsed stream. `problems` empty = every document is good. */
export interface ParsedFile {
  readonly problems: readonly ProblemReport[];
  readonly clusters: readonly DesiredCluster[];
  readonly providers: readonly DesiredProvider[];
  readonly secrets: readonly GivenSecret[];
  readonly policies?: readonly PolicyDocument[];
  /** The stream without its Secret documents: what may be kept, hashed and shown. */
  readonly text: string;
  /** Where a field of a document stands in the file (row K11); undefined when it is not written there. */
  place(document: string, field: string): Place | undefined;
}

/** What the store knows that a stream may refer to. */
export interface KnownDocuments {
  /** Kept provider documents. */
  readonly providers: readonly JsonObject[];
  readonly secrets: readonly { readonly name: string; readonly destination?: string }[];
  /** Kept documents of living clusters: what is chosen for another must not be theirs. */
  readonly clusters: readonly JsonObject[];
}

/** What every plan for a cluster that is to live is made from. */
export interface PlanningInput {
  readonly desired: DesiredCluster;
  readonly provider: DesiredProvider;
  readonly observed: Observed;
  readonly revision: string;
  readonly keys: ClusterPublicKeys;
  /** Ids of checks the user chose to bypass; recorded with the operation. */
  readonly bypass: readonly string[];
  /** What kind of operation the hooks of the plan before this one were told of, where an operation goes on. */
  readonly hooksFor?: string;
  /** The recovery key's recipient: what is written outside the cluster is sealed to it too. */
  readonly recoveryRecipient?: string;
  /** Whether the journal holds a receipt of a step of this kind for the cluster, from whatever operation. */
  readonly hasReceipt: (kind: string) => boolean;
  /** Whether it holds an attempt of such a step at all, however that ended. */
  readonly hasBegun: (kind: string) => boolean;
  /** Subjects of the cluster whose newest attempt at a step of this kind has not ended well. */
  readonly unfinished: (kind: string) => readonly string[];
}

/** Everything the engine asks of the rooms `spec` and `planning`; main.ts wires the real ones. All pure. */
export interface Planners {
  /** Reads a stream; references out of it are judged against what the store knows. */
  parse(text: string, file: string, known: KnownDocuments): ParsedFile;
  /** Reads a kept cluster document again. */
  readCluster(document: JsonObject): DesiredCluster;
  /** Reads a kept provider document again. */
  readProvider(document: JsonObject): DesiredProvider;
  /** A kept cluster document as text that `apply` reads as the same. */
  printCluster(document: JsonObject): string;
  /** The same for a kept provider document. */
  printProvider(document: JsonObject): string;
  /** Refusals of changes that a field does not allow (immutable ones), against the kept document. */
  checkChange(before: DesiredCluster, after: DesiredCluster): readonly ProblemReport[];
  /** What a change of machines means: the text that asks for it, and who leaves. @throws UserProblem */
  changeMachines(
    desired: DesiredCluster,
    observed: Observed,
    change: MachineChange,
    /** Kept documents that were in force before, the newest first. */
    earlier: readonly JsonObject[],
  ): { readonly text: string; readonly retire: Readonly<Record<string, Retirement>> };
  /** `retire`: machines that are to leave because somebody named them. */
  planCluster(input: PlanningInput & { readonly retire?: Readonly<Record<string, Retirement>> }): Plan;
  /** What it takes to bring about an intent. @throws UserProblem or Blocked when it cannot be, or not now */
  planIntent(input: PlanningInput & { readonly intent: Intent }): Plan;
  /** What to look at for drift, step by step, with what is done about each. @throws Problem as planCluster */
  planDrift(input: PlanningInput): {
    readonly steps: readonly (PlannedStep & { readonly remedy: DriftRemedy })[];
    readonly unmet: readonly string[];
  };
  /** What is left to do on a cluster that cannot be seen since a master began to join; undefined when nothing is. */
  planRevival(input: {
    readonly desired: DesiredCluster;
    readonly provider: DesiredProvider;
    readonly observed: Observed;
    readonly revision: string;
    /** Machines whose newest attempt at a step of this kind has not ended well. */
    readonly unfinished: (kind: string) => readonly string[];
  }): Plan | undefined;
  planDeletion(input: {
    readonly cluster: ClusterIdentity;
    readonly desired?: DesiredCluster;
    readonly provider: DesiredProvider;
    readonly observed: Observed;
    readonly revision: string;
    readonly volumes?: 'retain' | 'delete';
    readonly whenBlocked?: 'wait' | 'skip';
    /** Plan of the same deletion that this one goes on from. */
    readonly earlier?: Plan;
    /** What an earlier operation had found out of balancers and volumes when machines began to go. */
    readonly released?: readonly Released[];
    /** The journal knows that its control plane was made. */
    readonly wasServing?: boolean;
  }): Plan;
  /** What an operation gives back when it ends without success; inputs of ended steps hold no references. */
  releaseSteps(input: {
    readonly plan: Plan;
    readonly facts: ReadonlyMap<string, Json>;
  }): readonly PlannedStep[];
  /** How a document and a cluster that was found go together. */
  compareFound(desired: DesiredCluster, provider: DesiredProvider, found: SeenCluster): FoundComparison;
  /** Marks that machines bear once they are adopted, and what will be seen then. */
  marksOfFound(
    desired: DesiredCluster,
    provider: DesiredProvider,
    observed: Observed,
    etcd: SeenCluster['etcd'],
  ): {
    readonly digests: Readonly<Record<string, string>>;
    /** What the cluster is to note of its etcd; absent where it does already, or where it does not stand apart. */
    readonly etcdNote?: string;
    readonly adopted: Observed;
  };
  describePlan(plan: Plan): string;
  /** `act` steps leave only a receipt: one that succeeded in an operation is not run again when it is planned anew. */
  natureOf(kind: string): 'ensure' | 'act';
}

/** Names of the user's secrets that a document or an input refers to, in `{ secretRef }` or `{ keyRef }`. */
export function secretsNamedIn(value: Json): string[] {
  const names = new Set<string>();
  const visit = (part: Json): void => {
    if (part === null || typeof part !== 'object') return;
    for (const [key, inner] of Object.entries(part)) {
      if ((key === 'secretRef' || key === 'keyRef') && typeof inner === 'string') names.add(inner);
      else visit(inner as Json);
    }
  };
  visit(value);
  return [...names].sort();
}
