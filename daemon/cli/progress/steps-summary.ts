import { phases } from '../../../provisioners/contract/step.ts';
import type { OperationDetail, StepView } from '../../api/types.ts';

/** Steps of one phase, in the plan's order. */
export interface PhaseSummary {
  readonly phase: string;
  readonly steps: readonly StepView[];
  readonly ended: number;
  readonly state: 'planned' | 'running' | 'succeeded' | 'failed';
  /** Milliseconds from the first start to the last end, or to now. */
  readonly elapsed: number;
}

const hasEnded = (step: StepView): boolean => step.state === 'succeeded' || step.state === 'kept';
const hasFailed = (step: StepView): boolean => step.state === 'failed' || step.state === 'cancelled';

/** The phases of an operation in the order in which people read them: a plan made anew after a stop may begin anywhere. */
export function phasesOf(operation: OperationDetail, now: number): readonly PhaseSummary[] {
  const present = new Set(operation.stepList.map((step) => step.phase));
  return phases
    .filter((phase) => present.has(phase))
    .map((phase) => {
      const steps = operation.stepList.filter((step) => step.phase === phase);
      const ended = steps.filter(hasEnded).length;
      const starts = steps.flatMap((step) =>
        step.startedAt === undefined ? [] : [Date.parse(step.startedAt)],
      );
      const ends = steps.flatMap((step) => (step.endedAt === undefined ? [] : [Date.parse(step.endedAt)]));
      const isOver = ended === steps.length;
      const until = isOver && ends.length > 0 ? Math.max(...ends) : now;
      return {
        phase,
        steps,
        ended,
        state: stateOf(steps, ended, starts.length > 0),
        elapsed: starts.length === 0 ? 0 : until - Math.min(...starts),
      };
    });
}

/**
 * Steps of all phases together: of the plan in force, and what plans before it have done. The counts of the operation
 * itself are of the plan in force alone, and would not be the sum of what stands below them.
 */
export function countsOf({ stepList }: OperationDetail): { readonly ended: number; readonly total: number } {
  return { ended: stepList.filter(hasEnded).length, total: stepList.length };
}

function stateOf(steps: readonly StepView[], ended: number, hasStarted: boolean): PhaseSummary['state'] {
  if (steps.some(hasFailed)) return 'failed';
  if (ended === steps.length) return 'succeeded';
  return hasStarted ? 'running' : 'planned';
}

const verbs = {
  create: ['Creating', 'Created', 'Creation of'],
  update: ['Updating', 'Updated', 'Update of'],
  delete: ['Deleting', 'Deleted', 'Deletion of'],
  backup: ['Backing up', 'Backed up', 'Backup of'],
  renew: ['Renewing the certificates of', 'Renewed the certificates of', 'Renewing the certificates of'],
  rotate: ['Rotating the authorities of', 'Rotated the authorities of', 'Rotation of the authorities of'],
  restore: ['Restoring the data of', 'Restored the data of', 'Restore of the data of'],
  adopt: ['Adopting', 'Adopted', 'Adoption of'],
  eject: ['Ejecting', 'Ejected', 'Ejection of'],
  finalize: ['Finalizing the upgrade of', 'Finalized the upgrade of', 'Finalizing the upgrade of'],
} as const satisfies Readonly<Record<OperationDetail['kind'], readonly [string, string, string]>>;

/** What an operation of a kind is doing: `Creating`. */
export const doing = (kind: OperationDetail['kind']): string => verbs[kind][0];

/** `Creating cluster demo`, `Created cluster demo`, `Creation of cluster demo failed`. */
export function operationTitle(operation: OperationDetail): string {
  const [does, done, noun] = verbs[operation.kind];
  const name = `cluster ${operation.cluster.name}`;
  switch (operation.state) {
    case 'succeeded':
      return `${done} ${name}`;
    case 'failed':
      return `${noun} ${name} stopped`;
    case 'cancelled':
      return `${noun} ${name} was cancelled`;
    case 'waiting':
      if (operation.isCancelling === true)
        return `${does} ${name}: cancelling; waits for ${waits[operation.waitingFor ?? 'agent']}`;
      return `${does} ${name}: waits for ${waits[operation.waitingFor ?? 'agent']}`;
    case 'planned':
    case 'running':
      return operation.isCancelling === true ? `${does} ${name}: cancelling` : `${does} ${name}`;
  }
}

const waits = {
  approval: 'your approval',
  agent: "the site's agent, which is not connected",
  operation: 'the operation before it',
  space: 'free disk space for the journal',
  window: 'its maintenance window',
  pause: 'the end of a pause between two machines',
} as const;
