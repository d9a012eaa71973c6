import type { Instant } from '../../../provisioners/contract/time.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { ClusterIdentity } from '../../../provisioners/contract/machine.ts';
import type { ProviderConfig } from '../../../provisioners/contract/provider.ts';
import type { Waiting } from '../../../provisioners/contract/ports.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';

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
