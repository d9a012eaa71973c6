import type { PolicyDocument } from '../documents.ts';
import type { PolicyOperation } from '../schema/policy.ts';
import { compile, type Variables } from './expression.ts';

/** What one policy has against a cluster. */
export interface Objection {
  readonly policy: string;
  readonly action: 'Warn' | 'Deny';
  /** What the policy's author says. */
  readonly message: string;
  /** First field of the cluster that the expression names: `spec.controlPlane.replicas`. */
  readonly field?: string;
  /** The expression could not be evaluated: nothing is known of the cluster, and it counts as broken. */
  readonly isUnknown: boolean;
}

/** What is judged where a policy names no operations. */
const usualOperations: readonly PolicyOperation[] = ['CREATE', 'UPDATE'];

/**
 * Everything that policies have against an operation on a cluster, in their order. Those that do not speak of it are
 * left out.
 */
export function judge(
  policies: readonly PolicyDocument[],
  cluster: string,
  variables: Variables,
): Objection[] {
  return policies
    .filter((policy) => speaksOf(policy, cluster) && judges(policy, variables.request.operation))
    .flatMap((policy) =>
      policy.spec.validations.flatMap((validation) => objectionOf(policy, validation, variables)),
    );
}

/** Whether a policy holds for a cluster of this name. */
export function speaksOf({ spec }: PolicyDocument, cluster: string): boolean {
  const { clusters } = spec.match;
  return clusters === undefined || clusters.some((pattern) => isLike(pattern, cluster));
}

/** Whether a policy is asked about such an operation. Documents kept by an older release name none. */
export const judges = ({ spec }: PolicyDocument, operation: PolicyOperation): boolean =>
  (spec.match.operations ?? usualOperations).includes(operation);

/** `*` stands for any letters, none too. Walked by hand: patterns are users', and names short. */
function isLike(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false;
  let position = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, position);
    if (found === -1 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}

type Validation = PolicyDocument['spec']['validations'][number];

function objectionOf(policy: PolicyDocument, validation: Validation, variables: Variables): Objection[] {
  const compiled = compile(validation.expression, 'bool');
  const result = compiled.isValid
    ? compiled.evaluate(variables)
    : ({ outcome: 'failed', reason: compiled.reason } as const);
  if (result.outcome === 'value' && result.value === true) return [];
  const field = fieldIn(validation.expression);
  const isUnknown = result.outcome === 'failed';
  const message = isUnknown
    ? `${validation.message ?? validation.expression} (it could not be evaluated: ${result.reason})`
    : messageOf(validation, variables);
  const { action } = policy.spec;
  return [
    { policy: policy.metadata.name, action, message, isUnknown, ...(field === undefined ? {} : { field }) },
  ];
}

function messageOf(validation: Validation, variables: Variables): string {
  const plain = validation.message ?? `failed expression: ${validation.expression}`;
  if (validation.messageExpression === undefined) return plain;
  const compiled = compile(validation.messageExpression, 'string');
  const result = compiled.isValid ? compiled.evaluate(variables) : undefined;
  return result?.outcome === 'value' && typeof result.value === 'string' && result.value !== ''
    ? result.value
    : plain;
}

/** The first field of `object` that an expression reads; a method called on it is no part of its name. */
function fieldIn(expression: string): string | undefined {
  const match = /\bobject\.(spec(?:\.[A-Za-z_]\w*)*)(\s*\()?/.exec(expression);
  const parts = match?.[1]?.split('.') ?? [];
  const named = match?.[2] === undefined ? parts : parts.slice(0, -1);
  return named.length > 1 ? named.join('.') : undefined;
}
