import type { Browser, Page } from 'playwright-core';

/** A task longer than this keeps a person waiting (the browser's own Long Tasks API), milliseconds. */
const long = 50;

/** What is read of a trace (Chromium's Trace Event Format). */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the clock, and of the processor. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What an act at a page cost. Milliseconds. */
export interface PageCost {
  readonly took: number;
  /** Longest task of the page's main thread by processor time, and by the clock. */
  readonly processor: number;
  readonly clock: number;
  /** Tasks over 50 ms of processor time. */
  readonly long: number;
}

/**
 * Tasks of the page's main thread, milliseconds: on the clock, and of the processor. On a busy machine the first has
 * the time in which the browser was not let run.
 */
function tasksOf(trace: Buffer): { readonly clock: number[]; readonly processor: number[] } {
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid, dur }) => name.endsWith('RunTask') && mains.has(`${pid}/${tid}`) && dur !== undefined,
  );
  return {
    clock: tasks.map(({ dur = 0 }) => dur / 1000),
    processor: tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000])),
  };
}

const longest = (tasks: readonly number[]): number =>
  Math.round(tasks.reduce((one, other) => Math.max(one, other), 0));

/** Does something at a page under Chromium's own trace. */
export async function traced(browser: Browser, page: Page, act: () => Promise<unknown>): Promise<PageCost> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  const from = performance.now();
  await act();
  const took = Math.round(performance.now() - from);
  const { clock, processor } = tasksOf(await browser.stopTracing());
  return {
    took,
    processor: longest(processor),
    clock: longest(clock),
    long: processor.filter((task) => task > long).length,
  };
}

/** The cost in words. */
export const costText = ({ took, processor, clock, long: count }: PageCost): string =>
  `${took} ms; longest task ${processor} ms of the processor, ${clock} ms by the clock; ${count} over 50 ms`;
