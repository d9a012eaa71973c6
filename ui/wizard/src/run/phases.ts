import type { StepView } from '../../../../daemon/api/types.ts';
import { type Standing, standingOf, standingOfAll } from './machines.ts';

/** Steps of one kind in one phase: one row while there are many of them. */
export interface StepGroup {
  readonly kind: string;
  readonly steps: readonly StepView[];
}

/** One phase of the run. */
export interface RunPhase {
  readonly name: string;
  readonly standing: Standing;
  readonly done: number;
  readonly total: number;
  /** Milliseconds from its first start to its last end, or undefined before it has begun. */
  readonly began?: number;
  /** Undefined while it goes on. */
  readonly ended?: number;
  readonly groups: readonly StepGroup[];
}

/** Phases in the order in which they come, with their steps by kind in the order of the plan. */
export function phasesOf(steps: readonly StepView[]): RunPhase[] {
  return [...Map.groupBy(steps, (step) => step.phase)].map(([name, about]) => phaseOf(name, about));
}

function phaseOf(name: string, steps: readonly StepView[]): RunPhase {
  const standing = standingOfAll(steps);
  const starts = steps.flatMap(({ startedAt }) => (startedAt === undefined ? [] : [Date.parse(startedAt)]));
  const ends = steps.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [Date.parse(endedAt)]));
  const isOver = steps.every((step) => step.state !== 'running' && step.state !== 'planned');
  return {
    name,
    standing,
    done: steps.filter((step) => standingOf(step) === 'done').length,
    total: steps.length,
    ...(starts.length === 0 ? {} : { began: least(starts) }),
    ...(isOver && ends.length > 0 ? { ended: greatest(ends) } : {}),
    groups: [...Map.groupBy(steps, (step) => step.kind)].map(([kind, members]) => ({ kind, steps: members })),
  };
}

// Thousands of steps are more than one call takes as arguments.
const least = (numbers: readonly number[]): number =>
  numbers.reduce((one, other) => Math.min(one, other), Infinity);
const greatest = (numbers: readonly number[]): number =>
  numbers.reduce((one, other) => Math.max(one, other), 0);
