import type { ZodType } from 'zod';
import type { Duration, Instant } from './time.ts';
import type { Json } from './json.ts';
import type { ClusterIdentity } from './machine.ts';
import type { Ports, Waiting } from './ports.ts';
import type { Finding } from './preflight.ts';

/** What `observe` saw. */
export type Observation<Facts> =
  /** As it should be; the facts are what later steps may refer to. */
  | { readonly state: 'done'; readonly facts: Facts }
  /** Not there: apply it. */
  | { readonly state: 'todo'; readonly why: string }
  /**
   * Under way: look again, never apply. `what` reads after "waits for" and stays the same while the same is awaited;
   * `lastSeen` is what was seen of it just now.
   */
  | {
      readonly state: 'pending';
      readonly what: string;
      readonly lastSeen?: string;
      readonly since: Instant;
      readonly usually: Duration;
    }
  /** Half-made: apply repairs. */
  | { readonly state: 'broken'; readonly why: string }
  /** Somebody must act; Remuda goes on looking until the hard limit. A check says all it found. */
  | {
      readonly state: 'blocked';
      /** As in `pending`; "somebody to act" when absent. */
      readonly what?: string;
      readonly why: string;
      readonly remedy: string;
      readonly findings?: readonly Finding[];
    };

/** How long a step may take. */
export interface StepLimits {
  /** After this the wait is said aloud with what a person could do; nothing stops. */
  readonly soft: Duration;
  /** After this the operation stops, resumable. */
  readonly hard: Duration;
  /** How often `apply` may be tried in one attempt when errors are transient. */
  readonly attempts: number;
  /**
   * How long nothing but problems may come of its looks and tries before the operation stops, resumable. Without it only
   * the hard limit ends them.
   */
  readonly trouble?: Duration;
}

/** What a step gets: ports for its I/O, and a voice. */
export interface StepContext extends Ports {
  readonly cluster: ClusterIdentity;
  readonly operation: string;
  readonly step: string;
  readonly attempt: number;
  /** Stable over repeats: an *act* hands it to its target so that it is delivered under one key. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** The clock; steps use no other. */
  now(): Instant;
  /** Resolves after the duration or rejects when the signal aborts. */
  sleep(duration: Duration): Promise<void>;
  /** A line for the operation's log. Control codes are stripped, known secrets redacted, by the receiver. */
  log(text: string, machine?: string): void;
  progress(done: number, total: number, what: string): void;
  waiting(waiting: Waiting): void;
}

/**
 * One small named piece of work: `observe` only reads, `apply` converges and may be repeated. A thrown error means
 * *unknown*, and nothing is ever applied on unknown.
 */
export interface Step<Input, Facts extends Json> {
  /** noun.verb, for example `etcd-member.remove`. */
  readonly kind: string;
  /** Version of the input; release n reads n-1's. */
  readonly version: number;
  /** `ensure`: has observable state. `act`: leaves only a receipt, is no part of drift. */
  readonly nature: 'ensure' | 'act';
  /** Which of the plan's phases it belongs to. */
  readonly phase: Phase;
  /** Whether it removes something that cannot be had back: its premises are checked again just before. */
  readonly destructive: boolean;
  /**
   * Whether it disturbs what runs in the cluster or how it is reached: outside creation and deletion it begins only in a
   * maintenance window. As `destructive` when absent.
   */
  readonly disrupts?: boolean;
  /** What a person reads in the plan and the log. */
  title(input: Input): string;
  readonly schema: ZodType<Input>;
  observe(context: StepContext, input: Input): Promise<Observation<Facts>>;
  apply(context: StepContext, input: Input): Promise<void>;
  readonly limits: StepLimits;
}

/** Phases in the order people read them. Phases are labels; the graph decides what may run. */
export const phases = [
  'preflight',
  'infrastructure',
  'machines',
  'preparation',
  'control plane',
  'workers',
  'removal',
  'add-ons',
  'verification',
  'teardown',
] as const;
export type Phase = (typeof phases)[number];

/** A step of any type, as lists and registries hold it; its own schema checks the input before it is used. */
export type AnyStep = Step<unknown, Json>;

/** Gives a step its types without writing them twice. */
export function defineStep<Input, Facts extends Json>(step: Step<Input, Facts>): Step<Input, Facts> {
  return step;
}
