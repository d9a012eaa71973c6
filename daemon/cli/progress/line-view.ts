import type { OperationDetail, StepView } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import type { OperationView } from '../operation-watch.ts';
import type { Printer } from '../terminal.ts';
import { clockTime, humaneDuration } from '../times.ts';
import { operationWaitLines } from './operation-wait.ts';
import { operationTitle } from './steps-summary.ts';
import { waitingLines } from './tree-view.ts';

/** Shortest time between two lines about the same wait, milliseconds. */
const repeatAfter = 30_000;

/** One line for each thing that changes: for pipes, files and CI logs. */
export class LineView implements OperationView {
  readonly #printer: Printer;
  readonly #said = new Map<string, string>();
  readonly #waits = new Map<
    string,
    { readonly what: string; readonly lastSeen: string; readonly at: number }
  >();

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  show(operations: readonly OperationDetail[]): void {
    for (const operation of operations) {
      // Its end is said after the ends of its steps.
      const isOver = operation.endedAt !== undefined || operation.state === 'succeeded';
      if (!isOver) this.#showTitle(operation);
      for (const step of operation.stepList) this.#showStep(operation, step);
      if (isOver) this.#showTitle(operation);
    }
  }

  event(): void {
    // The picture is compared instead: it tells the same, and also what happened while nobody listened.
  }

  away(since: number): void {
    this.#line(`the daemon is away since ${clockTime(new Date(since).toISOString())}, still trying`);
  }

  back(): void {
    this.#line('the daemon is back');
  }

  end(operations: readonly OperationDetail[]): void {
    this.show(operations);
  }

  #showTitle(operation: OperationDetail): void {
    const title = operationTitle(operation);
    this.#sayOnce(operation.id, title, () => this.#line(title));
    const [why = '', ...more] = operationWaitLines(operation, Date.now());
    if (why === '') return;
    // The time that is left moves; the reason does not.
    this.#sayOnce(`${operation.id} waits`, operation.problem?.summary ?? '', () => {
      for (const line of [why, ...more]) this.#line(`  ${line}`);
    });
  }

  #showStep(operation: OperationDetail, step: StepView): void {
    const key = `${operation.id} ${step.id}`;
    if (step.state !== 'planned' && step.state !== 'kept')
      this.#sayOnce(key, `${step.state} ${step.attempt}`, () => this.#line(stepLine(step)));
    if (step.waiting && step.state === 'running') this.#showWait(key, step, step.waiting);
  }

  /** Says a wait when it is another, and now and then when something new was seen: numbers in it may always move. */
  #showWait(key: string, step: StepView, waiting: NonNullable<StepView['waiting']>): void {
    const now = Date.now();
    const said = this.#waits.get(key);
    const isSame = said?.what === waiting.what;
    if (isSame && (said.lastSeen === waiting.lastSeen || now - said.at < repeatAfter)) return;
    this.#waits.set(key, { what: waiting.what, lastSeen: waiting.lastSeen, at: now });
    for (const line of waitingLines(waiting, now, step.subject)) this.#line(`  ${step.subject}: ${line}`);
  }

  #sayOnce(key: string, what: string, say: () => void): void {
    if (this.#said.get(key) === what) return;
    this.#said.set(key, what);
    say();
  }

  #line(text: string): void {
    this.#printer.answer(`${clockTime(new Date().toISOString())} ${text}`);
  }
}

/** Phases that only look: what they find in order has passed, it was not made. */
const checking: ReadonlySet<StepView['phase']> = new Set<StepView['phase']>(['preflight', 'verification']);

function stepLine(step: StepView): string {
  const unchanged = step.changed === false ? 'already so' : 'done';
  const words = {
    running: 'started',
    succeeded: checking.has(step.phase) ? 'passed' : unchanged,
    failed: 'FAILED',
    cancelled: 'cancelled',
    kept: 'kept',
    planned: 'planned',
  } as const;
  const again = step.attempt > 1 ? ` (attempt ${step.attempt})` : '';
  const spent =
    step.startedAt !== undefined && step.endedAt !== undefined
      ? Date.parse(step.endedAt) - Date.parse(step.startedAt)
      : 0;
  const inTime = spent < 1000 ? '' : ` in ${humaneDuration(spent)}`;
  return `${words[step.state]} ${step.phase}: ${cleanLine(step.title)}${inTime}${again}`;
}
