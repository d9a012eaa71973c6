import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { disrupts, wayOut } from '../planning/disruption.ts';
import { type WindowState, windowAt } from '../planning/maintenance-window.ts';
import { windowText } from '../planning/maintenance-window-text.ts';
import type { StepGraph } from './graph.ts';
import type { Hold } from './hold.ts';
import type { MaintenanceRules, Planners } from './planners.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import type { OperationRun } from './run.ts';

/** What waits for no window and no pause. */
const neverWaits: ReadonlySet<OperationRun['kind']> = new Set(['create', 'delete', 'restore']);

/** What is known of a run's rules until its cluster's document changes, or the window opens or closes. */
interface Known {
  readonly revision: number;
  readonly rules: MaintenanceRules;
  window: WindowState;
}

const isOver = (window: WindowState, now: number): boolean => {
  const end = window.state === 'closed' ? window.opensAt : window.until;
  return end !== undefined && Date.parse(end) <= now;
};

/**
 * Says what must wait for a maintenance window, or for the end of a pause between two machines. The newest document of
 * the cluster counts, whatever revision the operation works towards: windows that somebody changes hold at once. Making
 * and deleting a cluster waits for nothing; nor does a restore, whose cluster has no API between its first stop and its
 * last start.
 */
export class Maintenance {
  readonly #recorder: Recorder;
  readonly #planners: Planners;
  readonly #known = new WeakMap<OperationRun, Known>();

  constructor(recorder: Recorder, planners: Planners) {
    this.#recorder = recorder;
    this.#planners = planners;
  }

  /** Steps that may begin now, at most `limit`; and what holds the first of those that must wait for time to pass. */
  ready(
    run: OperationRun,
    graph: StepGraph,
    limit: number,
  ): { readonly steps: readonly PlannedStep[]; readonly hold: Hold | undefined } {
    let first: Hold | undefined;
    const steps = graph.ready(limit, (step) => {
      if (run.isHeld(step)) return true;
      const hold = this.#holdOf(run, step);
      first ??= hold;
      return hold !== undefined;
    });
    return { steps, hold: first };
  }

  #holdOf(run: OperationRun, step: PlannedStep): Hold | undefined {
    if (neverWaits.has(run.kind) || !disrupts(step)) return undefined;
    const known = this.#rulesFor(run);
    const closed = run.isOutsideWindow ? undefined : this.#closed(run, known, step);
    return closed ?? this.#paused(run, known, step);
  }

  #closed(run: OperationRun, { window }: Known, step: PlannedStep): Hold | undefined {
    if (window.state === 'open') return undefined;
    const opens = windowText(window, this.#recorder.now(), 'lasting');
    const problem = problems.windowClosed(run.cluster, run.id, { step: step.title, opens });
    return { for: 'window', until: window.opensAt, problem };
  }

  #paused(run: OperationRun, { rules }: Known, step: PlannedStep): Hold | undefined {
    if (rules.pauseBetween === 0 || step.kind !== wayOut.begins) return undefined;
    const last = this.#recorder.state.steps.lastEnd(run.id, wayOut.ends);
    if (last === undefined) return undefined;
    const end = Date.parse(last) + rules.pauseBetween;
    if (end <= this.#recorder.clock.now()) return undefined;
    const until = new Date(end).toISOString();
    return { for: 'pause', until, problem: problems.pausing(run.cluster, { step: step.title, until }) };
  }

  /** Cheap while nothing changed: every run that waits is asked each second. */
  #rulesFor(run: OperationRun): Known {
    const { state, clock } = this.#recorder;
    const { uid } = run.subject.cluster;
    const revision = state.revisions.head(uid)?.number ?? 0;
    const known = this.#known.get(run);
    const now = this.#recorder.now();
    if (known?.revision === revision) {
      if (isOver(known.window, clock.now())) known.window = windowAt(known.rules.windows, now);
      return known;
    }
    const newest = state.revisions.newest(uid);
    const { maintenance: rules } =
      newest === undefined ? run.subject.desired : this.#planners.readCluster(newest.document);
    const fresh = { revision, rules, window: windowAt(rules.windows, now) };
    this.#known.set(run, fresh);
    return fresh;
  }
}
