import type { AgentReport, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import { type MachineRef, machineRefSchema } from '../../provisioners/contract/machine.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { LogLine, OperationLogs } from '../state/logs.ts';
import type { StepEnd } from '../state/steps.ts';
import { judgeHook, noteHookWarning, warningIn } from './hook-failures.ts';
import type { AgentLink } from './link.ts';
import type { Note, Recorder } from './recorder.ts';
import type { EngineCounters } from './counters.ts';
import type { OperationRun } from './run.ts';

/** Kind of the step that seals a machine off. */
const machineFence = 'machine.fence';
const machineDestroy = 'machine.destroy';
const machineStop = 'machine.stop';

/** What the intake needs of the runner. */
export interface ReportReader {
  /** The run an attempt belongs to, while it is held here. */
  find(operation: string): OperationRun | undefined;
  /** A durable end; called once for each attempt. */
  ended(operation: string, step: string, outcome: Outcome): void;
  /** The problem with the place in the user's file, where a field is known (row K11). */
  locate(run: OperationRun, problem: ProblemReport): ProblemReport;
}

interface Taken {
  readonly run: OperationRun;
  readonly report: AgentReport;
  readonly line: LogLine | undefined;
  /** An end with its problem placed. */
  readonly outcome: Outcome | undefined;
}

/** Takes the reports of one site's agent: journals them in order, then acknowledges, then acts on them. */
export class ReportIntake {
  readonly #site: string;
  readonly #link: AgentLink;
  readonly #recorder: Recorder;
  readonly #logs: OperationLogs;
  readonly #reader: ReportReader;
  readonly #counters: EngineCounters;
  /** Highest sequence on its way into the journal, and the highest that is durable there. */
  #taken = 0;
  #durable = 0;
  #epoch = 0;

  constructor(
    site: string,
    link: AgentLink,
    parts: {
      readonly recorder: Recorder;
      readonly logs: OperationLogs;
      readonly reader: ReportReader;
      readonly counters: EngineCounters;
    },
  ) {
    this.#site = site;
    this.#link = link;
    this.#recorder = parts.recorder;
    this.#logs = parts.logs;
    this.#reader = parts.reader;
    this.#counters = parts.counters;
  }

  /** One batch. Repeats are dropped; behind a gap nothing is taken, the agent sends again what was not acknowledged. */
  take(reports: readonly AgentReport[]): void {
    const epoch = this.#link.epoch;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      const agent = this.#recorder.state.agents.get(this.#site);
      this.#durable = agent?.epoch === epoch ? agent.acknowledged : 0;
      this.#taken = this.#durable;
    }
    const fresh: AgentReport[] = [];
    for (const report of reports) {
      this.#counters.reports += 1;
      if (report.sequence === this.#taken + 1) {
        fresh.push(report);
        this.#taken = report.sequence;
      } else this.#counters.duplicateReports += 1;
    }
    if (fresh.length > 0) this.#journal(epoch, fresh);
    else this.#link.acknowledge(this.#durable);
  }

  #journal(epoch: number, reports: readonly AgentReport[]): void {
    const last = reports.at(-1)?.sequence ?? 0;
    const taken = reports.flatMap((report) => this.#read(epoch, report));
    const written = this.#recorder.commit((note, at) => {
      const ended = taken.filter((entry) => this.#keep(entry, note, at));
      this.#recorder.state.agents.acknowledge(this.#site, epoch, last, at);
      return ended;
    });
    void written.then(
      (ended) => {
        if (epoch === this.#epoch) this.#durable = Math.max(this.#durable, last);
        this.#link.acknowledge(last);
        for (const entry of taken) this.#pass(entry, ended.includes(entry));
      },
      (error: unknown) => {
        // Our own bug. Going on would leave the agent unheard: the process ends, a new one gets them again.
        queueMicrotask(() => {
          throw error;
        });
      },
    );
  }

  /** What a report means here; nothing when its operation is not being run (given up by replacing the agent). */
  #read(epoch: number, report: AgentReport): Taken[] {
    const run = this.#reader.find(report.key.operation);
    if (run === undefined) return [];
    let line: LogLine | undefined;
    if (report.type === 'log') {
      line = this.#logs.append(run.id, {
        at: report.at,
        step: report.key.step,
        text: report.text,
        epoch,
        sequence: report.sequence,
        ...(report.machine === undefined ? {} : { machine: report.machine }),
      });
    }
    const outcome = report.type === 'ended' ? this.#judged(run, report.key.step, report.outcome) : undefined;
    return [{ run, report, line, outcome }];
  }

  /** The end with the place of its problem, and of a hook that may fail as a warning. */
  #judged(run: OperationRun, step: string, outcome: Outcome): Outcome {
    if (outcome.state !== 'failed') return outcome;
    const placed = { ...outcome, problem: this.#reader.locate(run, outcome.problem) };
    const sent = run.open.get(step)?.record;
    return sent === undefined ? placed : judgeHook(sent.kind, sent.input, placed);
  }

  /** Writes one report down; answers whether it ended an open attempt. */
  #keep({ run, report, outcome }: Taken, note: Note, at: Instant): boolean {
    const { attempts, steps } = this.#recorder.state;
    const { key } = report;
    const about = { cluster: run.cluster, operation: run.id, step: key.step };
    if (outcome !== undefined) {
      if (!attempts.end(key, outcome, at)) return false;
      this.#endStep(run, key.step, endOf(outcome, report.at));
      this.#pinMachines(run, outcome);
      if (outcome.state === 'succeeded') this.#noteFence(run, key.step, at);
      if (outcome.state === 'failed')
        this.#noteUnfenced(run, key.step, outcome.problem.summary, { note, at });
      if (outcome.state === 'succeeded') noteHookWarning(note, about, outcome.facts);
      note({ type: 'step.ended', ...about, data: { attempt: key.attempt, ...summaryOf(outcome) } });
      return true;
    }
    // Known to be durable already: thousands of log lines a second need no write of their own.
    if (run.open.get(key.step)?.isReported !== true) attempts.setReported(key, at);
    if (report.type === 'waiting') {
      const before = steps.get(run.id, key.step)?.waiting ?? run.formerWaits.get(key.step);
      const waiting = sinceFirst(report.waiting, before);
      steps.note(run.id, key.step, { waiting });
      note({ type: 'step.waiting', ...about, data: { ...waiting } });
    }
    if (report.type === 'progress') {
      const { done, total, what } = report;
      steps.note(run.id, key.step, { progress: { done, total, what } });
      note({ type: 'step.progress', ...about, data: { done, total, what } });
    }
    return false;
  }

  /** An attempt of an earlier plan may end while the step of the plan in force is still to be started. */
  #endStep(run: OperationRun, step: string, end: StepEnd): void {
    const { steps } = this.#recorder.state;
    if (run.strays.get(step)?.isWanted !== true) return steps.end(run.id, step, end);
    const { waiting } = steps.get(run.id, step) ?? {};
    if (waiting !== undefined) run.formerWaits.set(step, waiting);
    return steps.reopen(run.id, step, end.facts);
  }

  /** A machine that is kept is proven to take no part any more; one that took none any more is gone for good. */
  #noteFence(run: OperationRun, step: string, at: Instant): void {
    const [kind, name] = step.split('/');
    if (name === undefined) return;
    const { retirements } = this.#recorder.state;
    const { uid } = run.subject.cluster;
    if (kind === machineFence) retirements.setFenced(uid, name, at);
    if (kind === machineDestroy || kind === machineStop) retirements.clearUnfenced(uid, name);
    if (kind === machineDestroy && retirements.list(uid)[name]?.isFenced === true)
      retirements.remove(uid, name);
  }

  /** Nobody could destroy it, switch it off or seal it off: it may run still, and people are told. */
  #noteUnfenced(
    run: OperationRun,
    step: string,
    why: string,
    { note, at }: { note: Note; at: Instant },
  ): void {
    const [kind = '', name] = step.split('/');
    if (name === undefined || ![machineFence, machineDestroy, machineStop].includes(kind)) return;
    const { retirements } = this.#recorder.state;
    const { uid } = run.subject.cluster;
    if (retirements.list(uid)[name] === undefined) return;
    retirements.setUnfenced(uid, name, { why, at });
    const about = { cluster: run.cluster, operation: run.id, step };
    note({ type: 'machine.unfenced', ...about, data: { machine: name, why } });
  }

  /** A fact that is a reference to a machine with its host key is what later visits trust. */
  #pinMachines(run: OperationRun, outcome: Outcome): void {
    if (outcome.state !== 'succeeded') return;
    for (const reference of referencesIn(outcome.facts))
      this.#recorder.state.machines.pin(run.subject.cluster.uid, reference);
  }

  /** After it is durable. */
  #pass({ run, report, line, outcome }: Taken, hasEnded: boolean): void {
    const open = run.open.get(report.key.step);
    if (open?.record.key.attempt === report.key.attempt) open.isReported = true;
    if (line !== undefined) {
      this.#counters.logLines += 1;
      this.#recorder.tellLog(run.id, run.cluster, line);
    }
    if (hasEnded && outcome !== undefined) this.#reader.ended(run.id, report.key.step, outcome);
  }
}

/** A new agent process or attempt that waits for the same goes on with the age of the wait. */
function sinceFirst(waiting: Waiting, before: Waiting | undefined): Waiting {
  const isOlder = before?.what === waiting.what && Date.parse(before.since) < Date.parse(waiting.since);
  return isOlder ? { ...waiting, since: before.since } : waiting;
}

function referencesIn(facts: Json): MachineRef[] {
  if (facts === null || typeof facts !== 'object') return [];
  return [facts, ...Object.values(facts)].flatMap((candidate) => {
    if (candidate === null || typeof candidate !== 'object' || !('hostKeys' in candidate)) return [];
    const parsed = machineRefSchema.safeParse(candidate);
    return parsed.success ? [parsed.data] : [];
  });
}

const endOf = (outcome: Outcome, at: Instant): StepEnd => {
  if (outcome.state === 'succeeded')
    return {
      state: 'succeeded',
      at,
      changed: outcome.changed,
      facts: outcome.facts,
      ...warningIn(outcome.facts),
    };
  if (outcome.state === 'failed') return { state: 'failed', at, problem: outcome.problem };
  return { state: 'cancelled', at };
};

const summaryOf = (outcome: Outcome): { readonly [key: string]: Json } => {
  if (outcome.state === 'succeeded') return { state: 'succeeded', changed: outcome.changed };
  if (outcome.state === 'cancelled') return { state: 'cancelled' };
  const problem = JSON.parse(JSON.stringify(outcome.problem)) as Json;
  return { state: 'failed', problem, hardLimit: outcome.hardLimit };
};
