import { z } from 'zod';
import type { OperationRecord } from '../state/operations.ts';
import { agree, agreementOf, ask } from './agreement.ts';
import { conflicts } from './conflicts.ts';
import type { Policies } from './policies.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import type { Runner } from './runner.ts';
import { isResumable, namesToApprove } from './views.ts';

/** What is read of a kept document here. */
const deletionSchema = z.object({ spec: z.object({ deletion: z.object({ protected: z.boolean() }) }) });

/** Somebody's word on an operation. */
export interface Approval {
  readonly principal: string;
  /** The cluster's name. */
  readonly confirm: string;
  /** Hash of the plan that was read; another in force is refused. */
  readonly planHash?: string;
}

/** Resume, cancel, approve: what a person may do to an operation. */
export class Control {
  readonly #recorder: Recorder;
  readonly #runner: Runner;
  readonly #policies: Policies;

  constructor(recorder: Recorder, runner: Runner, policies: Policies) {
    this.#recorder = recorder;
    this.#runner = runner;
    this.#policies = policies;
  }

  async resume(id: string, principal: string): Promise<void> {
    const { operations } = this.#recorder.state;
    const name = this.#nameOf(this.#get(id));
    await this.#recorder.commit((note, at) => {
      const record = this.#get(id);
      const holder = operations.holder(record.cluster);
      if (holder !== undefined && conflicts[holder.kind].resume === 'refuse')
        throw new Refusal('conflict', [problems.conflict(name, holder.id, 'works on it')]);
      if (!isResumable(this.#recorder.state, record))
        throw new Refusal('conflict', [problems.notResumable(id, whyNot(record))]);
      this.#policies.refuseDenied(id, principal);
      this.#refuseProtected(record);
      operations.setCancelRequested(id, false);
      operations.setState(id, 'running', { at });
      note({ type: 'operation.resumed', cluster: name, operation: id, data: { principal } });
    });
    this.#runner.takeUp(this.#get(id), 'resume');
  }

  async cancel(id: string, principal: string): Promise<void> {
    const { operations } = this.#recorder.state;
    await this.#recorder.commit((note, at) => {
      const record = this.#get(id);
      const isOver = record.endedAt !== undefined;
      if (isOver) return;
      const about = { cluster: this.#nameOf(record), operation: id };
      operations.setCancelRequested(id, true);
      note({ type: 'operation.cancelling', ...about, data: { principal } });
      const isIdle = record.waitingFor === 'approval' || record.waitingFor === 'operation';
      if (!isIdle) return;
      operations.setState(id, 'cancelled', { at });
      note({ type: 'operation.ended', ...about, data: { state: 'cancelled' } });
      const queued = operations.queued(record.cluster);
      if (queued !== undefined) operations.setState(queued.id, 'running', { at });
    });
    const run = this.#runner.find(id);
    if (run !== undefined) this.#runner.cancel(run);
    this.#runner.takeUpIdle();
  }

  /** One principal's word on the plan that waits; it goes on when as many agreed as must. */
  async approve(id: string, { principal, confirm, planHash }: Approval): Promise<void> {
    const { state } = this.#recorder;
    const isAgreed = await this.#recorder.commit((note, at) => {
      const record = this.#get(id);
      const cluster = this.#nameOf(record);
      if (record.state !== 'waiting' || record.waitingFor !== 'approval')
        throw new Refusal('conflict', [problems.notWaiting(id)]);
      this.#policies.refuseDenied(id, principal);
      this.#refuseProtected(record);
      const kept = state.plans.get(id, record.planNumber);
      if (kept === undefined) throw new Error(`operation ${id} has no plan ${record.planNumber}`);
      if (planHash !== undefined && planHash !== kept.hash)
        throw new Refusal('plan-changed', [problems.planChanged(cluster)]);
      const { agreed, missing } = agreementOf(state, record);
      if (agreed.some((one) => one.principal === principal))
        throw new Refusal('conflict', [problems.agreedAlready(id, principal, missing)]);
      const names = namesToApprove(state, record);
      if (confirm !== cluster)
        throw new Refusal('needs-confirmation', [
          problems.needsConfirmation(cluster, { kind: record.kind, destroys: names }),
        ]);
      const { plan } = kept;
      agree(state, { operation: id, number: record.planNumber, plan }, { principal, at });
      const left = missing - 1;
      const told = record.approvalsNeeded > 1 ? { missing: left } : {};
      note({ type: 'operation.approved', cluster, operation: id, data: { principal, names, ...told } });
      const about = { operation: id, cluster, plan, number: record.planNumber };
      if (left > 0) {
        ask(state, { ...about, names, needed: record.approvalsNeeded, changes: [] }, note, at);
        return false;
      }
      state.operations.setApproved(id, [...record.approved, ...names]);
      state.operations.setAgreement(id, { needed: record.approvalsNeeded, isAgreed: true });
      state.operations.setState(id, 'running', { at });
      return true;
    });
    if (isAgreed) this.#runner.takeUp(this.#get(id), 'resume');
  }

  /** A deletion that stopped, or waits for others, does not go on when the cluster was protected meanwhile. @throws Refusal */
  #refuseProtected({ kind, cluster }: OperationRecord): void {
    if (kind !== 'delete') return;
    const { clusters, revisions } = this.#recorder.state;
    const asked = deletionSchema.safeParse(revisions.newest(cluster)?.document);
    if (asked.data?.spec.deletion.protected === true)
      throw new Refusal('invalid', [problems.isProtected(clusters.get(cluster)?.name ?? cluster)]);
  }

  /** Lets one operation work outside its cluster's maintenance windows, to its end. */
  async overrideWindow(id: string, { principal, confirm }: Approval): Promise<void> {
    const { state } = this.#recorder;
    await this.#recorder.commit((note, at) => {
      const record = this.#get(id);
      const cluster = this.#nameOf(record);
      if (record.endedAt !== undefined) throw new Refusal('conflict', [problems.notOpen(id)]);
      if (confirm !== cluster)
        throw new Refusal('needs-confirmation', [problems.needsNameForWindow(cluster, id)]);
      if (record.outsideWindow !== undefined) return;
      state.operations.setOutsideWindow(id, principal);
      note({ type: 'operation.window-overridden', cluster, operation: id, data: { principal, since: at } });
    });
    const run = this.#runner.find(id);
    if (run === undefined) return;
    run.isOutsideWindow = true;
    this.#runner.pump(run);
  }

  /** @throws Refusal when there is none */
  #get(id: string): OperationRecord {
    const record = this.#recorder.state.operations.get(id);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('operation', id)]);
    return record;
  }

  #nameOf(record: OperationRecord): string {
    return this.#recorder.state.clusters.get(record.cluster)?.name ?? record.cluster;
  }
}

function whyNot(record: OperationRecord): string {
  if (record.supersededBy !== undefined) return `operation ${record.supersededBy} took its place`;
  if (record.state === 'succeeded') return 'it succeeded';
  return record.endedAt === undefined ? 'it is not over' : 'a later operation worked on the cluster since';
}
