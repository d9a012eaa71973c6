import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { steps as everyStep } from '../../provisioners/kubernetes/steps.ts';

const disturbing = new Map(
  everyStep.map(({ kind, destructive, disrupts }) => [kind, disrupts ?? destructive]),
);

/** Whether a step disturbs what runs, so that it begins only in a maintenance window. Unknown kinds: what they destroy. */
export const disrupts = ({ kind, destructive }: Pick<PlannedStep, 'kind' | 'destructive'>): boolean =>
  disturbing.get(kind) ?? destructive;

/** Kinds with which the way out of a machine begins, and those with which it ends: what a pause lies between. */
export const wayOut = {
  begins: 'node.cordon',
  ends: ['machine.destroy', 'machine.fence', 'node.remove', 'node.uncordon'],
} as const;
