import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { State } from '../state/state.ts';
import type { DesiredCluster } from './planners.ts';
import { problems } from './problems.ts';
import type { Note } from './recorder.ts';
import { needsConfirmation, planHash } from './review.ts';

/**
 * How many principals must agree before a plan begins, the one who asks for it among them: one, unless it needs
 * confirmation. Where a document lowers the number, that of the document before it still counts for what comes with it.
 */
export function approvalsFor(
  plan: Plan,
  observed: Pick<Observed, 'machines'>,
  documents: readonly Pick<DesiredCluster, 'destroyLimit' | 'maintenance'>[],
): number {
  // The strictest limit counts as well, for the same reason.
  const limit = Math.min(...documents.map(({ destroyLimit }) => destroyLimit));
  if (!needsConfirmation(plan, observed, limit)) return 1;
  return Math.max(1, ...documents.map(({ maintenance }) => maintenance.approvals));
}

/** A plan that waits for the word of principals. */
export interface Question {
  /** Operation, and the cluster's name. */
  readonly operation: string;
  readonly cluster: string;
  readonly plan: Plan;
  readonly number: number;
  readonly needed: number;
  /** Machines that are destroyed without anybody's word yet. */
  readonly names: readonly string[];
  /** How it differs from what was agreed to; empty when nobody agreed to anything yet. */
  readonly changes: readonly string[];
}

/** Who has agreed to the plan in force, and how many are missing. */
export interface Agreement {
  readonly needed: number;
  readonly agreed: readonly { readonly principal: string; readonly at: Instant }[];
  readonly missing: number;
}

/** Reads it from the journal. */
export function agreementOf(
  state: State,
  { id, planNumber, approvalsNeeded: needed }: Pick<OperationRecord, 'id' | 'planNumber' | 'approvalsNeeded'>,
): Agreement {
  const agreed = state.approvals.list(id, planNumber);
  return { needed, agreed, missing: Math.max(0, needed - agreed.length) };
}

/** Keeps one principal's word on a plan. Inside a transaction. */
export function agree(
  state: State,
  { operation, number, plan }: Pick<Question, 'operation' | 'number' | 'plan'>,
  { principal, at }: { readonly principal: string; readonly at: Instant },
): void {
  state.approvals.add(operation, { number, hash: planHash(plan) }, { principal, at });
}

/** Lets the operation wait for those who are missing, and says who. Inside a transaction. */
export function ask(state: State, question: Question, note: Note, at: Instant): void {
  const { operation, cluster, needed, names, number } = question;
  state.operations.setAgreement(operation, { needed, isAgreed: false });
  const { agreed, missing } = agreementOf(state, {
    id: operation,
    planNumber: number,
    approvalsNeeded: needed,
  });
  const who = agreed.map(({ principal }) => principal);
  const problem = problems.needsApproval(question, who);
  state.operations.setState(operation, 'waiting', { at, waitingFor: 'approval', problem });
  const data = { for: 'approval', toApprove: names, ...(needed > 1 ? { agreed: who, missing } : {}) };
  note({ type: 'operation.waiting', cluster, operation, data });
}
