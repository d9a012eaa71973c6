import type { Json } from '../../provisioners/contract/json.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { AttemptRecord } from '../state/attempts.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { State } from '../state/state.ts';
import { bareSubject } from './bare-cluster.ts';
import type { Continuation, PastWork } from './continuation.ts';
import type { Subject } from './observation.ts';
import type { Planners } from './planners.ts';
import { planHash } from './review.ts';
import { OperationRun } from './run.ts';

/** What an operation has done so far, as the journal tells it. */
export function pastWork(state: State, planners: Planners, operation: string): PastWork {
  const open = new Map<string, AttemptRecord>();
  const ended = new Map<string, AttemptRecord>();
  // Oldest first, so that the newest of each step stays.
  for (const attempt of state.attempts.list(operation))
    (attempt.outcome === undefined ? open : ended).set(attempt.key.step, attempt);
  const facts = new Map<string, Json>();
  for (const { id, facts: found } of state.steps.list(operation))
    if (found !== undefined) facts.set(id, found);
  return { open, ended, facts, natureOf: (kind) => planners.natureOf(kind) };
}

/** Writes a plan and its steps down, inside a transaction. What is under way keeps what the journal says of it. */
export function recordPlan(
  state: State,
  operation: string,
  number: number,
  plan: Plan,
  { done, started, strays }: Continuation,
  at: Instant,
): void {
  state.plans.add({ operation, number, hash: planHash(plan), plan, at });
  recordLeaving(state, operation, plan, at);
  const open = new Set(state.attempts.listOpen(operation).map(({ key }) => key.step));
  for (const [position, { id }] of plan.steps.entries()) {
    // A started step may have ended since; of a stray that has, nothing counts in this plan.
    if (started.has(id) || (strays.has(id) && open.has(id)))
      state.steps.carry(operation, number, { id, position });
    else state.steps.plan(operation, number, { id, position, state: done.has(id) ? 'kept' : 'planned' });
  }
}

/** Who leaves is decided with the plan and not again; who stays after all is taken back when the plan comes into force. */
function recordLeaving(state: State, operation: string, plan: Plan, at: Instant): void {
  const { uid } = plan.cluster;
  const isQueued = state.operations.get(operation)?.waitingFor === 'operation';
  const inForce = state.retirements.list(uid);
  // Whom the running operation sends away stays its business: what waits is not in force.
  for (const [name, retirement] of Object.entries(plan.retires ?? {}))
    if (!isQueued || inForce[name] === undefined)
      state.retirements.add(uid, name, { ...retirement, operation, at });
  if (isQueued) return;
  for (const name of plan.takesBack ?? []) state.retirements.remove(uid, name);
}

/**
 * What looking at and planning for a kept cluster needs. The newest revision goes with its provider as it is now (its
 * credentials may have moved since); an older one, which still runs while a newer waits, with the provider of its time.
 * @throws Error when the records are not whole, which foreign keys rule out
 */
export function subjectOf(state: State, planners: Planners, uid: string, revisionNumber?: number): Subject {
  const cluster = state.clusters.get(uid);
  const newest = state.revisions.newest(uid);
  const revision = revisionNumber === undefined ? newest : state.revisions.get(uid, revisionNumber);
  // A stray that is swept has no document: nobody here ever asked for it.
  if (cluster !== undefined && newest === undefined) return bareSubject(state, planners, cluster);
  const provider = cluster && state.providers.get(cluster.provider);
  if (cluster === undefined || revision === undefined || provider === undefined)
    throw new Error(`the records of cluster ${uid} are not whole`);
  const isNewest = revision.number === newest?.number;
  return {
    cluster: { uid: cluster.uid, name: cluster.name },
    provider: planners.readProvider(isNewest ? provider.document : revision.providerDocument),
    desired: planners.readCluster(revision.document),
    keys: cluster.keys.sealed,
  };
}

/** An operation as the journal knows it, ready to go on. */
export function loadRun(state: State, planners: Planners, record: OperationRecord): OperationRun {
  const plan = state.plans.get(record.id, record.planNumber);
  if (plan === undefined) throw new Error(`operation ${record.id} has no plan ${record.planNumber}`);
  const run = new OperationRun(
    record,
    subjectOf(state, planners, record.cluster, record.revision),
    plan.plan,
  );
  for (const step of state.steps.list(record.id)) {
    run.attempts.set(step.id, step.attempt);
    if (step.facts !== undefined) run.facts.set(step.id, step.facts);
    // It failed before the last process could end the operation.
    if (step.state === 'failed' && step.planNumber === record.planNumber) run.problem ??= step.problem;
  }
  for (const attempt of state.attempts.listOpen(record.id))
    run.open.set(attempt.key.step, { record: attempt, sentAt: 0, sent: 0, isReported: false });
  return run;
}
