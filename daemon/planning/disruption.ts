import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { steps as everyStep } from '../../provisioners/kubernetes/steps.ts';

const disturbing = new Map(
  everyStep.map(({ kind, destructive, disrupts }) => [kind, disrupts ?? destructive]),
);

/** Whether an input says of itself that it disturbs: a user's hook is told so by what it stands beside. */
const isDisturbing = (input: PlannedStep['input']): boolean =>
  input !== null && typeof input === 'object' && 'isDisturbing' in input && input['isDisturbing'] === true;

/** Whether a step disturbs what runs, so that it begins only in a maintenance window. Unknown kinds: what they destroy. */
export const disrupts = ({
  kind,
  destructive,
  input,
}: Pick<PlannedStep, 'kind' | 'destructive' | 'input'>): boolean =>
  isDisturbing(input) || (disturbing.get(kind) ?? destructive);

/** Kinds with which the way out of a machine begins, and those with which it ends: what a pause lies between. */
export const wayOut = {
  begins: 'node.cordon',
  ends: ['machine.destroy', 'machine.fence', 'node.remove', 'node.uncordon'],
} as const;
