import type { EngineEvent, OperationDetail, StepView } from '../../../../daemon/api/types.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Puts what an event tells of a step into the operation as it was last read, so that a step moves at once; the whole is
 * read again soon after. Events about anything else change nothing here.
 */
export function patched(operation: OperationDetail, events: readonly EngineEvent[]): OperationDetail {
  const changed = new Map<string, StepView>();
  const byId = new Map(operation.stepList.map((step) => [step.id, step]));
  for (const event of events) {
    const step = event.step === undefined ? undefined : (changed.get(event.step) ?? byId.get(event.step));
    const next = step && patchedStep(step, event);
    if (next !== undefined) changed.set(next.id, next);
  }
  if (changed.size === 0) return operation;
  const stepList = operation.stepList.map((step) => changed.get(step.id) ?? step);
  return { ...operation, stepList };
}

function patchedStep(step: StepView, { type, at, data }: EngineEvent): StepView | undefined {
  const next: Mutable<StepView> = { ...step };
  const said = data as Partial<StepView> & { readonly attempt?: number };
  if (type === 'step.started') {
    delete next.endedAt;
    delete next.waiting;
    delete next.problem;
    return { ...next, state: 'running', startedAt: at, attempt: said.attempt ?? step.attempt };
  }
  if (type === 'step.ended') {
    delete next.waiting;
    if (said.problem !== undefined) next.problem = said.problem;
    if (said.changed !== undefined) next.changed = said.changed;
    return { ...next, state: said.state ?? step.state, endedAt: at };
  }
  if (type === 'step.waiting') return { ...next, waiting: data as NonNullable<StepView['waiting']> };
  if (type === 'step.progress') {
    delete next.waiting;
    return { ...next, progress: data as NonNullable<StepView['progress']> };
  }
  return undefined;
}
