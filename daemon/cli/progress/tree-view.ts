import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import cliProgress from 'cli-progress';
import type { OperationDetail, StepView } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import type { OperationView } from '../operation-watch.ts';
import type { Printer } from '../terminal.ts';
import { clockTime, humaneDuration } from '../times.ts';
import { operationWaitLines } from './operation-wait.ts';
import { countsOf, operationTitle, type PhaseSummary, phasesOf } from './steps-summary.ts';

/** How often running clocks are drawn again. */
const redrawEvery = 1_000;
const barWidth = 24;
/** Steps shown at once in one phase; the others are counted. */
const mostSteps = 8;

/** A live picture on a terminal: phases, what runs on each machine, what is awaited. */
export class TreeView implements OperationView {
  readonly #printer: Printer;
  #operations: readonly OperationDetail[] = [];
  #drawn = 0;
  #awaySince: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  show(operations: readonly OperationDetail[]): void {
    this.#operations = operations;
    this.#timer ??= setInterval(() => this.#draw(), redrawEvery).unref();
    this.#draw();
  }

  event(): void {
    // Events only say that there is something to look at.
  }

  away(since: number): void {
    this.#awaySince = since;
    this.#draw();
  }

  back(): void {
    this.#awaySince = undefined;
    this.#draw();
  }

  end(operations: readonly OperationDetail[]): void {
    clearInterval(this.#timer);
    this.#operations = operations;
    this.#awaySince = undefined;
    this.#draw();
    this.#drawn = 0;
  }

  #draw(): void {
    const { output } = this.#printer.terminal;
    const width = (output.columns ?? 80) - 1;
    const lines = this.#operations.flatMap((operation) => this.#linesOf(operation, width));
    if (this.#awaySince !== undefined) {
      const since = clockTime(new Date(this.#awaySince).toISOString());
      lines.push(
        this.#printer.out.warn(
          `The daemon is away since ${since}; still trying. The work goes on without it being watched.`,
        ),
      );
    }
    // More lines than the screen has cannot be drawn over again.
    const room = Math.max(3, (output.rows ?? 24) - 2);
    const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), this.#printer.out.dim('…')];
    if (this.#drawn > 0) {
      moveCursor(output, 0, -this.#drawn);
      cursorTo(output, 0);
    }
    clearScreenDown(output);
    output.write(shown.map((line) => `${line}\n`).join(''));
    this.#drawn = shown.length;
  }

  #linesOf(operation: OperationDetail, width: number): string[] {
    const now = Date.now();
    const { out } = this.#printer;
    const { total, ended } = countsOf(operation);
    const share = total === 0 ? 1 : ended / total;
    const bar = cliProgress.Format.BarFormat(share, {
      barsize: barWidth,
      barCompleteString: '━'.repeat(barWidth),
      barIncompleteString: '─'.repeat(barWidth),
      barGlue: '',
    });
    const from = operation.startedAt ?? operation.createdAt;
    const until = operation.endedAt === undefined ? now : Date.parse(operation.endedAt);
    const spent = humaneDuration(until - Date.parse(from));
    const head = `${out.bold(operationTitle(operation))}  ${bar}  ${ended} of ${total} steps  ${out.dim(spent)}`;
    const waits = operationWaitLines(operation, now).map((line) =>
      out.warn(line.length > width ? `  ${line.slice(0, width - 3)}…` : `  ${line}`),
    );
    return [
      head,
      ...waits,
      ...phasesOf(operation, now).flatMap((phase) => this.#phaseLines(phase, now, width)),
    ];
  }

  #phaseLines(phase: PhaseSummary, now: number, width: number): string[] {
    const { out } = this.#printer;
    const mark = {
      planned: out.dim('○'),
      running: out.bold('◐'),
      succeeded: out.good('✔'),
      failed: out.bad('✘'),
    }[phase.state];
    const count = `${phase.ended} of ${phase.steps.length}`;
    const spent = phase.elapsed === 0 ? '' : humaneDuration(phase.elapsed);
    const line = `  ${mark} ${phase.phase.padEnd(15)} ${count.padEnd(10)} ${out.dim(spent)}`;
    const active = phase.steps.filter((step) => step.state === 'running' || step.state === 'failed');
    const shown = active.slice(0, mostSteps).flatMap((step) => this.#stepLines(step, now, width));
    const rest = active.length - mostSteps;
    return [line, ...shown, ...(rest > 0 ? [out.dim(`      … and ${rest} more under way`)] : [])];
  }

  #stepLines(step: StepView, now: number, width: number): string[] {
    const { out } = this.#printer;
    const clip = (text: string): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
    const spent = step.startedAt === undefined ? '' : humaneDuration(now - Date.parse(step.startedAt));
    const progress = step.progress
      ? `  ${step.progress.done} of ${step.progress.total} ${cleanLine(step.progress.what)}`
      : '';
    const again = step.attempt > 1 ? `  attempt ${step.attempt}` : '';
    const text = clip(
      `      ${step.subject.padEnd(10)} ${cleanLine(step.title)}  ${spent}${progress}${again}`,
    );
    const lines = [step.state === 'failed' ? out.bad(text) : text];
    if (step.waiting && step.state === 'running') {
      for (const line of waitingLines(step.waiting, now, step.subject))
        lines.push(out.warn(clip(`        ${line}`)));
    }
    return lines;
  }
}

/** What is awaited, what was last seen, since when, what usually, what one could do. */
export function waitingLines(
  waiting: NonNullable<StepView['waiting']>,
  now: number,
  subject: string,
): readonly string[] {
  const since = humaneDuration(now - Date.parse(waiting.since));
  // The line stands under its machine: the name is not said again.
  const prefix = `${subject}: `;
  const last = waiting.lastSeen.startsWith(prefix) ? waiting.lastSeen.slice(prefix.length) : waiting.lastSeen;
  const seen = waiting.lastSeen === waiting.what ? '' : `; last seen: ${cleanLine(last)}`;
  const lines = [
    `waits for ${cleanLine(waiting.what)}${seen}; for ${since}, usually ${humaneDuration(waiting.usually)}`,
  ];
  return waiting.youCould === undefined ? lines : [...lines, `you could: ${cleanLine(waiting.youCould)}`];
}
