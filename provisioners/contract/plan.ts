import { z } from 'zod';
import { type Intent, intentSchema } from './intent.ts';
import type { Json } from './json.ts';
import type { Retirement } from './observed.ts';
import type { Phase, Step } from './step.ts';

/**
 * A typed reference to a fact of an earlier step: later inputs name facts, they never copy them. The runner puts the
 * journalled fact in its place at dispatch.
 */
export interface FactReference {
  readonly $fact: {
    readonly step: string;
    readonly path: readonly string[];
    /** In a list: the item is left out while its step has no facts, and the step that names it does not wait for it. */
    readonly isOptional?: true;
  };
}

/** A step input in a plan: any part of it may be a reference to a fact. */
export type Referable<T> =
  | FactReference
  | (T extends readonly (infer U)[]
      ? readonly Referable<U>[]
      : T extends object
        ? { readonly [K in keyof T]: Referable<T[K]> }
        : T);

/** One step of a plan. */
export interface PlannedStep {
  /** Stable over replanning: `kind/subject`, for example `worker.join/w1`. */
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly phase: Phase;
  /** Machine name, or `cluster`. */
  readonly subject: string;
  readonly title: string;
  readonly input: Json;
  /** Ids of the steps that must have ended well before this one starts. */
  readonly after: readonly string[];
  readonly destructive: boolean;
}

/** What a plan was made from. Checked at the start and before every destructive step. */
export const premisesSchema = z.strictObject({
  /** Revision of the cluster's spec in the store, or the digest of a spec not stored yet. */
  revision: z.string(),
  observedAt: z.string(),
  /** Machine name → token of the instance that was there. */
  machines: z.record(z.string(), z.string()),
  /** Member id → name of every etcd member that was there; absent when etcd was not seen. */
  members: z.record(z.string(), z.string()).optional(),
  versions: z.record(z.string(), z.string()),
});
export type Premises = z.infer<typeof premisesSchema>;

/** What a plan is for: what the document asks, the cluster's end, or an {@link Intent}. */
export type OperationKind = 'create' | 'update' | 'delete' | Intent['kind'];

/** Every kind there is. */
export const operationKinds = [
  'create',
  'update',
  'delete',
  ...intentSchema.options.map(({ shape }) => shape.kind.value),
] as const satisfies readonly OperationKind[];

/** The difference between what is asked and what is: data, printed for people, journalled before anything runs. */
export interface Plan {
  readonly kind: OperationKind;
  /** What it is to bring about beside what the document says; of the same kind. */
  readonly intent?: Intent;
  readonly cluster: { readonly uid: string; readonly name: string };
  readonly premises: Premises;
  readonly steps: readonly PlannedStep[];
  /** Machines this plan destroys, by name: what needs approval when it grows. */
  readonly destroys: readonly string[];
  /** Machines that this plan is the first to send away; written down with it. */
  readonly retires?: Readonly<Record<string, Retirement>>;
  /** Machines that were to leave and stay after all; written down with it. */
  readonly takesBack?: readonly string[];
  /** Sentences a person should read before agreeing (1↔2 masters, unseen parts, deviations). */
  readonly notices: readonly string[];
  /** What kind of operation its hooks are told of; the same as long as the operation goes on. */
  readonly hooksFor?: string;
  /** What comes after these steps cannot be planned yet: when they have ended well, all is planned anew. */
  readonly isPartial?: true;
  /** Version at which an upgrade over several minors stops after these steps, on its way to the one that is asked. */
  readonly stop?: string;
  /** Changes in the user's terms: what is made, changed, removed. Empty with empty steps = nothing to do. */
  readonly changes: readonly PlanChange[];
}

/** One change as people read it. */
export interface PlanChange {
  readonly action: 'create' | 'change' | 'destroy';
  readonly subject: string;
  readonly detail: string;
}

/** Id of a planned step. */
export const stepId = (kind: string, subject: string): string => `${kind}/${subject}`;

/** A reference to a fact of `step` on `subject`; the path leads into the facts. */
export function factOf<Facts extends Json, K extends keyof Facts & string>(
  step: Pick<Step<never, Facts>, 'kind' | 'observe'>,
  subject: string,
  key: K,
): FactReference {
  return { $fact: { step: stepId(step.kind, subject), path: [key] } };
}

/** As {@link factOf}, for an item of a list that counts only if the fact is known when the step is sent. */
export function factIfKnown<Facts extends Json, K extends keyof Facts & string>(
  step: Pick<Step<never, Facts>, 'kind' | 'observe'>,
  subject: string,
  key: K,
): FactReference {
  return { $fact: { step: stepId(step.kind, subject), path: [key], isOptional: true } };
}

const isReference = (value: object): value is FactReference => '$fact' in value;

/** Whether an item of a list is left out: its step has no facts yet, and it is not waited for. */
const isLeftOut = (item: Json, factsOf: (step: string) => Json | undefined): boolean =>
  item !== null &&
  typeof item === 'object' &&
  isReference(item) &&
  item.$fact.isOptional === true &&
  factsOf(item.$fact.step) === undefined;

/**
 * Puts facts in the place of references; optional items of lists whose facts are not known are left out.
 * @throws Error when a referenced step has no facts: the graph lacks an edge, which is our bug.
 */
export function resolveReferences(input: Json, factsOf: (step: string) => Json | undefined): Json {
  if (Array.isArray(input))
    return input.filter((item) => !isLeftOut(item, factsOf)).map((item) => resolveReferences(item, factsOf));
  if (input === null || typeof input !== 'object') return input;
  const object = input as { readonly [key: string]: Json };
  if (isReference(object)) {
    const { step, path } = object.$fact;
    let value: Json | undefined = factsOf(step);
    for (const key of path) value = (value as { readonly [key: string]: Json } | undefined)?.[key];
    if (value === undefined)
      throw new Error(`the plan refers to ${path.join('.')} of ${step}, which has no such fact yet`);
    return value;
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, resolveReferences(value, factsOf)]),
  );
}
