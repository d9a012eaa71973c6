import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { OperationRecord } from '../state/operations.ts';
import { agree, ask, type Question } from './agreement.ts';
import { conflicts } from './conflicts.ts';
import { continueWith } from './continuation.ts';
import type { Planners } from './planners.ts';
import { pastWork, recordPlan } from './plan-record.ts';
import { problems } from './problems.ts';
import type { Note, Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import type { Runner } from './runner.ts';
import { isSideWork, mainWork } from './side-work.ts';
import { isResumable } from './views.ts';

/** What a document asks for is one wish, whether the cluster is there by now or not. */
const wishOf = ({ kind, intent }: Plan): Json => (kind === 'create' ? 'update' : (intent ?? kind));

const isSameWish = (before: Plan | undefined, now: Plan): boolean =>
  before !== undefined && canonicalJson(wishOf(before)) === canonicalJson(wishOf(now));

/** Work that is to begin. */
export interface Work {
  readonly id: string;
  /** uid, name. */
  readonly cluster: { readonly uid: string; readonly name: string };
  readonly plan: Plan;
  readonly revision: number;
  readonly principal: string;
  readonly bypass: readonly string[];
  readonly volumes?: 'retain' | 'delete';
  /** How many principals must agree before it begins, the one who asks among them; 1 when absent. */
  readonly approvals?: number;
}

const needsOthers = ({ approvals = 1 }: Work): boolean => approvals > 1;

/** What the transaction decided; {@link Admission.begin} acts on it once it is durable. */
export interface Admitted {
  readonly operation: string;
  readonly how: 'start' | 'take-up-again' | 'queued' | 'asking';
  /** Running operation that is to end early. */
  readonly interrupted?: string;
}

/**
 * Lets work in: decides by the table of conflicts inside the transaction that writes operation and plan, so that two
 * requests can never both be right.
 */
export class Admission {
  readonly #recorder: Recorder;
  readonly #planners: Planners;
  readonly #runner: Runner;

  constructor(recorder: Recorder, planners: Planners, runner: Runner) {
    this.#recorder = recorder;
    this.#planners = planners;
    this.#runner = runner;
  }

  /**
   * Writes operation, plan and steps, inside a transaction.
   * @throws Refusal of reason `conflict` when the table says so; the transaction's other changes are undone with it
   */
  admit(work: Work, note: Note, at: Instant): Admitted {
    const { operations } = this.#recorder.state;
    const holder = operations.holder(work.cluster.uid);
    if (holder === undefined) return this.#admitFree(work, note, at);
    const verdict = conflicts[holder.kind][work.plan.kind];
    if (verdict === 'refuse' || verdict === 'beside')
      throw new Refusal('conflict', [
        problems.conflict(
          work.cluster.name,
          holder.id,
          holder.kind === 'delete' ? 'deletes it' : 'works on it',
        ),
      ]);
    this.#dropQueued(work, note, at);
    const isAsking = holder.state === 'waiting' && holder.waitingFor === 'approval';
    if (isAsking && !isSideWork(work.plan.kind)) {
      return this.#replace(holder, work, note, at);
    }
    const admitted = this.#write(work, 'queued', note, at);
    // What others have still to agree to ends nobody's work.
    if (verdict === 'wait' || needsOthers(work)) return admitted;
    operations.setCancelRequested(holder.id, true);
    note({
      type: 'operation.cancelling',
      cluster: work.cluster.name,
      operation: holder.id,
      data: { by: work.id },
    });
    return { ...admitted, interrupted: holder.id };
  }

  /** Once the transaction is durable. */
  begin(admitted: Admitted): void {
    const record = this.#recorder.state.operations.get(admitted.operation);
    const mayRun = admitted.how === 'start' || admitted.how === 'take-up-again';
    if (record !== undefined && mayRun) this.#runner.takeUp(record, 'fresh');
    const interrupted =
      admitted.interrupted === undefined ? undefined : this.#runner.find(admitted.interrupted);
    if (interrupted !== undefined) this.#runner.cancel(interrupted);
  }

  /** Nobody holds the cluster: the stopped operation for the same revision goes on, any other is superseded. */
  #admitFree(work: Work, note: Note, at: Instant): Admitted {
    const { state } = this.#recorder;
    const { kind } = work.plan;
    const isAside = isSideWork(kind);
    // A backup is of now: the one that had stopped is not gone on with.
    const last =
      kind === 'backup' ? undefined : state.operations.newest(work.cluster.uid, isAside ? [kind] : mainWork);
    if (last === undefined || !isResumable(state, last)) return this.#write(work, 'start', note, at);
    const isSameWork =
      last.revision === work.revision &&
      isSameWish(state.plans.get(last.id, last.planNumber)?.plan, work.plan) &&
      last.bypass.join() === work.bypass.join() &&
      last.volumes === work.volumes;
    // Who was to leave when somebody cancelled it stays: going on with that operation would send him away after all.
    const isGivenUp = last.state === 'cancelled' && state.retirements.isAskedBy(last.id);
    if (!isSameWork && isAside) return this.#write(work, 'start', note, at);
    if (!isSameWork || isGivenUp) return this.#replace(last, work, note, at);
    const number = last.planNumber + 1;
    const goesOn = continueWith(work.plan, pastWork(state, this.#planners, last.id));
    recordPlan(state, last.id, number, work.plan, goesOn, at);
    state.operations.setPlanNumber(last.id, number);
    state.operations.setCancelRequested(last.id, false);
    const names = work.plan.destroys.filter((name) => !last.approved.includes(name));
    if (needsOthers(work) && (!last.isAgreed || names.length > 0))
      return this.#ask(work, { operation: last.id, number, names }, note, at);
    state.operations.setApproved(last.id, [...last.approved, ...names]);
    state.operations.setAgreement(last.id, { needed: work.approvals ?? 1, isAgreed: true });
    state.operations.setState(last.id, 'running', { at });
    const about = { cluster: work.cluster.name, operation: last.id };
    note({ type: 'operation.resumed', ...about, data: { principal: work.principal, plan: number } });
    return { operation: last.id, how: 'take-up-again' };
  }

  /** Ends what waits or has stopped for newer work, which was planned with everybody in mind that the old sent away. */
  #replace(old: OperationRecord, work: Work, note: Note, at: Instant): Admitted {
    this.#end(old, work, note, at);
    const admitted = this.#write(work, 'start', note, at);
    if (old.state !== 'cancelled') this.#recorder.state.retirements.handOver(old.id, work.id);
    return admitted;
  }

  #write(work: Work, how: 'start' | 'queued', note: Note, at: Instant): Admitted {
    const { state } = this.#recorder;
    const isQueued = how === 'queued';
    state.operations.add({
      id: work.id,
      cluster: work.cluster.uid,
      kind: work.plan.kind,
      state: isQueued ? 'waiting' : 'planned',
      ...(isQueued ? { waitingFor: 'operation' } : {}),
      principal: work.principal,
      revision: work.revision,
      planNumber: 1,
      bypass: work.bypass,
      approved: needsOthers(work) ? [] : work.plan.destroys,
      approvalsNeeded: work.approvals ?? 1,
      isAgreed: !needsOthers(work),
      ...(work.volumes === undefined ? {} : { volumes: work.volumes }),
      isCancelRequested: false,
      createdAt: at,
    });
    recordPlan(
      state,
      work.id,
      1,
      work.plan,
      continueWith(work.plan, pastWork(state, this.#planners, work.id)),
      at,
    );
    const about = { cluster: work.cluster.name, operation: work.id };
    const { kind, steps } = work.plan;
    const { principal, bypass } = work;
    note({
      type: 'operation.created',
      ...about,
      data: { kind, steps: steps.length, principal, bypass },
    });
    if (isQueued) {
      if (needsOthers(work))
        agree(state, { operation: work.id, number: 1, plan: work.plan }, { principal, at });
      note({ type: 'operation.waiting', ...about, data: { for: 'operation' } });
    } else if (needsOthers(work))
      return this.#ask(work, { operation: work.id, number: 1, names: work.plan.destroys }, note, at);
    else state.operations.setState(work.id, 'running', { at });
    return { operation: work.id, how };
  }

  /** Who asks for the work has agreed to its plan; the others are asked now. */
  #ask(
    { plan, principal, cluster, approvals: needed = 1 }: Work,
    about: Pick<Question, 'operation' | 'number' | 'names'>,
    note: Note,
    at: Instant,
  ): Admitted {
    const { state } = this.#recorder;
    agree(state, { ...about, plan }, { principal, at });
    ask(state, { ...about, cluster: cluster.name, plan, needed, changes: [] }, note, at);
    return { operation: about.operation, how: 'asking' };
  }

  /**
   * A queued operation that a newer request overtakes before it began: a newer document stands for all that the older
   * one asked for, and a deletion for everything. @throws Refusal when it asks for something else
   */
  #dropQueued(work: Work, note: Note, at: Instant): void {
    const { state } = this.#recorder;
    const queued = state.operations.queued(work.cluster.uid);
    if (queued === undefined) return;
    const isCovered =
      work.plan.kind === 'delete' ||
      isSameWish(state.plans.get(queued.id, queued.planNumber)?.plan, work.plan);
    if (!isCovered)
      throw new Refusal('conflict', [problems.conflict(work.cluster.name, queued.id, 'waits to work on it')]);
    this.#end(queued, work, note, at);
  }

  #end(record: OperationRecord, by: Work, note: Note, at: Instant): void {
    const { operations } = this.#recorder.state;
    operations.setState(record.id, 'cancelled', {
      at,
      ...(record.problem === undefined ? {} : { problem: record.problem }),
    });
    operations.setSuperseded(record.id, by.id);
    const about = { cluster: by.cluster.name, operation: record.id };
    note({ type: 'operation.ended', ...about, data: { state: 'cancelled', supersededBy: by.id } });
  }
}
