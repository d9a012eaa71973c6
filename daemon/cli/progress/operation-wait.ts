import type { OperationDetail } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { humaneDuration } from '../times.ts';

/** Waits of a whole operation that only a person or the clock ends. */
const told: ReadonlySet<OperationDetail['waitingFor']> = new Set(['approval', 'window', 'pause']);

/** Why an operation as a whole waits, how long yet, and what one could do; nothing where the title says it all. */
export function operationWaitLines(operation: OperationDetail, now: number): string[] {
  const { state, waitingFor, waitsUntil, problem } = operation;
  if (state !== 'waiting' || !told.has(waitingFor) || problem === undefined) return [];
  const left = waitsUntil === undefined ? 0 : Date.parse(waitsUntil) - now;
  const distance = left > 0 ? ` (in ${humaneDuration(left)})` : '';
  const lines = [`${cleanLine(problem.summary)}${distance}`];
  return problem.remedy === undefined ? lines : [...lines, `you could: ${cleanLine(problem.remedy)}`];
}
