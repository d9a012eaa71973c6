import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { State } from '../state/state.ts';
import type { Subject } from './observation.ts';
import type { Planners } from './planners.ts';
import { planHash } from './review.ts';
import { OperationRun } from './run.ts';

/** Acts of the plan that left a receipt in an earlier plan of the operation: they are not run again. */
export function keptActs(
  state: State,
  planners: Planners,
  operation: string,
  plan: Plan,
): ReadonlySet<string> {
  const before = new Map(state.steps.list(operation).map((step) => [step.id, step.state]));
  const kept = plan.steps.filter((step) => {
    const was = before.get(step.id);
    return (was === 'succeeded' || was === 'kept') && planners.natureOf(step.kind) === 'act';
  });
  return new Set(kept.map((step) => step.id));
}

/** Writes a plan and its steps down, inside a transaction. */
export function recordPlan(
  state: State,
  planners: Planners,
  operation: string,
  number: number,
  plan: Plan,
  at: Instant,
): void {
  const kept = keptActs(state, planners, operation, plan);
  state.plans.add({ operation, number, hash: planHash(plan), plan, at });
  for (const [position, step] of plan.steps.entries())
    state.steps.plan(operation, number, {
      id: step.id,
      position,
      state: kept.has(step.id) ? 'kept' : 'planned',
    });
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
