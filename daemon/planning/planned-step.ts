import type { Json } from '../../provisioners/contract/json.ts';
import {
  type FactReference,
  type PlannedStep,
  type Referable,
  resolveReferences,
  stepId,
} from '../../provisioners/contract/plan.ts';
import type { Phase, Step } from '../../provisioners/contract/step.ts';

/** What stands for facts that are not known yet wherever a title is made: enough to name the machine. */
function standIn(step: string): Json {
  const name = step.slice(step.indexOf('/') + 1);
  const reference = { name, address: `address of ${name}`, port: 22, user: 'root', hostKeys: [] };
  const restored = { at: '', isBumped: false };
  const lists = { of: 'balancers', gone: [], kept: [], left: [] };
  return { reference, address: reference.address, publicKey: '', provisionalHostKey: '', ...restored, lists };
}

const isReference = (part: object): part is FactReference => '$fact' in part;

/** Ids of the steps whose facts an input cannot do without. */
export function referencedSteps(input: Json): string[] {
  const found = new Set<string>();
  const visit = (part: Json): void => {
    if (part === null || typeof part !== 'object') return;
    if (isReference(part)) {
      if (part.$fact.isOptional !== true) found.add(part.$fact.step);
      return;
    }
    for (const inner of Object.values(part)) visit(inner as Json);
  };
  visit(input);
  return [...found];
}

/** Who a step is about: the last part of its id, and the subject people see it under. */
export interface Subject {
  readonly id: string;
  readonly subject: string;
}

/** A step about one machine, or about the whole cluster. */
export const about = (name: string): Subject => ({ id: name, subject: name });

/** A step about the whole cluster. */
export const aboutCluster: Subject = about('cluster');

/** A step about a part of the cluster that is no machine: an add-on. */
export const aboutPart = (part: string): Subject => ({ id: part, subject: 'cluster' });

/**
 * One step of a plan. Steps whose facts its input names come before it by construction; `after` adds what only the
 * order of things demands. `phase`: where people read of it, if not where steps of its kind usually stand.
 */
export function planStep<Input, Facts extends Json>(
  step: Step<Input, Facts>,
  { id, subject }: Subject,
  input: Referable<Input>,
  after: readonly string[],
  phase: Phase = step.phase,
): PlannedStep {
  // Inputs are made of JSON: the step's own schema says so, and the test of every plan parses them with it.
  const json = JSON.parse(JSON.stringify(input)) as Json;
  const known = step.schema.safeParse(resolveReferences(json, standIn));
  if (!known.success)
    throw new Error(
      `the plan gives ${stepId(step.kind, id)} an input that it does not read: ${known.error.message}`,
    );
  return {
    id: stepId(step.kind, id),
    kind: step.kind,
    version: step.version,
    phase,
    subject,
    title: step.title(known.data),
    input: json,
    after: [...new Set([...after, ...referencedSteps(json)])].sort(),
    destructive: step.destructive,
  };
}
