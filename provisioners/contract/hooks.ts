import { z } from 'zod';
import type { MachineRef } from './machine.ts';
import type { Duration, Instant } from './time.ts';

/** When a hook runs, in the order in which an operation comes by. */
export const hookPoints = [
  'beforeOperation',
  'beforeDrain',
  'afterDrain',
  'afterBoot',
  'afterOperation',
] as const;
export type HookPoint = (typeof hookPoints)[number];

/** Longest text of a script, in characters: it travels with its step, and people read it in the plan. */
export const longestScript = 16_384;

/** Longest time a hook may be given. */
export const longestHook: Duration = 2 * 60 * 60_000;

/** What a hook is run for. What a script finds in its environment, a Job too, and a webhook in its body. */
export const occasionSchema = z.strictObject({
  /** Name of the hook. */
  hook: z.string(),
  at: z.enum(hookPoints),
  /** Kind of the operation: `update`, `upgrade`, `delete`. */
  reason: z.string(),
  /** Name of the machine that it is about; absent before and after the operation. */
  machine: z.string().exactOptional(),
});
export type Occasion = z.infer<typeof occasionSchema>;

/** What the steps of all hooks have in common. */
export const hookShape = {
  occasion: occasionSchema,
  /** Milliseconds: of a script or a Job as a whole, of a webhook for one answer. */
  timeout: z.int().positive().max(longestHook),
  /** Whether the operation stops when it fails; the daemon reads it. */
  onFailure: z.enum(['stop', 'continue']),
  /** Whether it waits for a maintenance window, as what it comes before does. */
  isDisturbing: z.boolean(),
} as const;

/** A script and what it is told. */
export interface HookScript {
  readonly hook: string;
  /** Run by bash, or as a program of its own when it begins with `#!`. */
  readonly text: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Stopped on the machine itself after this, with whatever it started, also while nobody looks. */
  readonly timeout: Duration;
}

/** A script on a machine. `attempt`: the one it was started by. */
export type HookRun =
  | { readonly state: 'absent' }
  | {
      readonly state: 'running';
      readonly attempt: number;
      readonly since: Instant;
      readonly lastLine: string;
    }
  | {
      readonly state: 'ended';
      readonly attempt: number;
      readonly exitCode: number;
      readonly isTimedOut: boolean;
      readonly lastLines: readonly string[];
    };

/** A signed message to a server that a user named. */
export interface HookMessage {
  readonly url: string;
  /** PEM of the only authority that is believed; without it the public ones are. */
  readonly authority?: string;
  /** The same whenever the same message is sent again. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  readonly signingKey: string;
  /** How long the receiver may take to answer. */
  readonly timeout: Duration;
}

/** Where users' hooks are run: on machines as root, in units of their own, and at servers; never on the appliance. */
export interface HookPort {
  /** The newest run of this step's script on the machine; its new lines go to the log. */
  look(machine: MachineRef): Promise<HookRun>;
  /**
   * Starts the script, or attaches to a run of this step that is under way, and waits for its end, whatever that is like.
   * Its receipt, the exit status, stays on the machine.
   */
  run(machine: MachineRef, script: HookScript): Promise<void>;
  /** Hands a message over. @throws Problem when the receiver did not take it */
  send(message: HookMessage): Promise<void>;
}
