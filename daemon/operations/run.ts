import type { AttemptKey, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { AttemptRecord } from '../state/attempts.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { StepGraph } from './graph.ts';
import type { Pause } from './hold.ts';
import type { Subject } from './observation.ts';

/** An attempt that is under way as far as anybody can know. */
export interface OpenAttempt {
  readonly record: AttemptRecord;
  /** Clock time of the last sending, milliseconds. */
  sentAt: number;
  /** How often it was sent. */
  sent: number;
  /** Whether a report about it is durable: then it need not be sent again. */
  isReported: boolean;
}

/** An attempt of an earlier plan that the plan in force does not want as it was sent. */
export interface Stray {
  /** Machine name, or `cluster`. */
  readonly subject: string;
  readonly destructive: boolean;
  /** Whether the plan in force has a step of the same id, which begins when this attempt has ended. */
  readonly isWanted: boolean;
}

/** One operation as it is being run: what the journal says, and what is on its way into the journal. */
export class OperationRun {
  readonly id: string;
  readonly kind: OperationRecord['kind'];
  readonly subject: Subject;
  readonly site: string;
  plan: Plan;
  planNumber: number;
  /** Undefined until it is planned in this process. */
  graph: StepGraph | undefined;
  /** By step id. A step is here from the moment its intent is on its way into the journal. */
  readonly open = new Map<string, OpenAttempt>();
  /** Steps whose intent is not durable yet. */
  readonly starting = new Set<string>();
  /** Open attempts that the plan in force does not want, by step id: they are told to end, and waited for. */
  readonly strays = new Map<string, Stray>();
  /** What a step waited for under an earlier plan: the same wait goes on with its age. */
  readonly formerWaits = new Map<string, Waiting>();
  /** Ends that came while a plan was being adopted: they count when it is in force. */
  readonly endedMeanwhile: { readonly step: string; readonly outcome: Outcome }[] = [];
  /** Facts of steps that ended well, over all plans. */
  readonly facts = new Map<string, Json>();
  /** Newest attempt number a step. */
  readonly attempts = new Map<string, number>();
  approved: ReadonlySet<string>;
  readonly bypass: readonly string[];
  readonly volumes: OperationRecord['volumes'];
  problem: ProblemReport | undefined;
  isCancelRequested: boolean;
  /** Plan again, now; nothing new is started until then. */
  wantsReplan = false;
  /** The next plan needs a person's word: everything under way is let end before it is asked for. */
  isQuieting = false;
  /** Plans in a row that were given up because the premises had moved, without a step ending in between. */
  premiseFailures = 0;
  /** Steps whose premises were looked at just now and hold. */
  readonly cleared = new Set<string>();
  isChecking = false;
  isPlanning = false;
  /** A new plan is on its way into the journal. */
  isAdopting = false;
  isSettling = false;
  /** What is given back before an end that is no success; undefined until that is planned. */
  release: StepGraph | undefined;
  /** Giving back has taken too long. */
  isReleaseOver = false;
  /** What it waits for as a whole: set while the state in the journal says so. */
  pause: Pause | undefined;
  /** When time ends that wait. */
  pauseUntil: Instant | undefined;
  /** Somebody lets it work outside the maintenance windows. */
  isOutsideWindow: boolean;
  /** How many must agree before it begins what needs confirmation, and whether they have. */
  approvalsNeeded: number;
  isAgreed: boolean;

  constructor(record: OperationRecord, subject: Subject, plan: Plan) {
    this.id = record.id;
    this.kind = record.kind;
    this.subject = subject;
    this.site = subject.provider.site;
    this.plan = plan;
    this.planNumber = record.planNumber;
    this.approved = new Set(record.approved);
    this.bypass = record.bypass;
    this.volumes = record.volumes;
    const { waitingFor } = record;
    if (waitingFor !== 'approval' && waitingFor !== 'operation') this.pause = waitingFor;
    this.pauseUntil = record.waitsUntil;
    this.isOutsideWindow = record.outsideWindow !== undefined;
    this.approvalsNeeded = record.approvalsNeeded;
    this.isAgreed = record.isAgreed;
    this.isCancelRequested = record.isCancelRequested;
  }

  get cluster(): string {
    return this.subject.cluster.name;
  }

  /** Whether something is under way: at the agent, or on its way there. */
  get isBusy(): boolean {
    return this.open.size > 0 || this.starting.size > 0;
  }

  /** Whether the operation is on its way to an end that is no success. */
  get isEnding(): boolean {
    return this.isCancelRequested || this.problem !== undefined;
  }

  /** Whether an attempt that is under way is to end as soon as it can. */
  isUnwanted(step: string): boolean {
    if (this.release?.step(step) !== undefined) return this.isReleaseOver;
    return this.isCancelRequested || this.isQuieting || this.strays.has(step);
  }

  /**
   * Whether a step must wait for a stray: for one at the same thing, and, about the cluster as a whole, for one that
   * destroys.
   */
  isHeld({ id, subject }: PlannedStep): boolean {
    for (const [stray, at] of this.strays)
      if (stray === id || at.subject === subject || (subject === 'cluster' && at.destructive)) return true;
    return false;
  }

  /** An attempt has ended, durably. */
  takeEnd(step: string, outcome: Outcome): void {
    const isGood = outcome.state === 'succeeded';
    if (isGood) this.facts.set(step, outcome.facts);
    // Nobody waits for it any more: the agent was replaced, and what it did is planned on anew.
    if (!this.open.delete(step)) return;
    this.premiseFailures = 0;
    const stray = this.strays.get(step);
    this.strays.delete(step);
    if (stray === undefined) this.#endPlanned(step, outcome);
    // The plan in force was made while it may still have changed something, and does not look at it again.
    else if (!stray.isWanted && !(isGood && !outcome.changed)) this.wantsReplan = true;
  }

  #endPlanned(step: string, outcome: Outcome): void {
    if (this.release?.step(step) !== undefined) {
      this.release.end(step, outcome.state === 'succeeded');
      return;
    }
    if (outcome.state === 'failed') this.problem ??= outcome.problem;
    // The agent gave a step up that nobody asked it to give up (it was stopped): look again.
    if (outcome.state === 'cancelled' && !this.isCancelRequested) this.wantsReplan = true;
    this.graph?.end(step, outcome.state === 'succeeded');
  }

  /** Key of the step's next attempt. */
  nextKey(step: string): AttemptKey {
    const attempt = (this.attempts.get(step) ?? 0) + 1;
    this.attempts.set(step, attempt);
    return { operation: this.id, step, attempt };
  }
}
