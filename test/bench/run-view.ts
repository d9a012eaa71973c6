/**
 * The run view in Chromium with a log of 200,000 lines (issue 3, proof 4: no task over 50 ms, DOM and heap bounded):
 * loading, searching, filtering, scrolling. Needs Debian's chromium and scripts/wizard. Prints; asserts nothing.
 */
import type { Page } from 'playwright-core';
import { fillLog, runStory, tell } from '../browser/run-story.ts';
import { builtWizard, startBrowser, visit } from '../browser/visitor.ts';
import { startFakeSite } from '../integration/api/fake-site.ts';

const lines = 200_000;

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

/** A task longer than this keeps a person waiting (the browser's own Long Tasks API), milliseconds. */
const long = 50;

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

async function measure(page: Page, what: string, act: () => Promise<unknown>): Promise<void> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  const from = performance.now();
  await act();
  const took = Math.round(performance.now() - from);
  const { clock, processor } = tasksOf(await browser.stopTracing());
  const longest = (tasks: readonly number[]): string =>
    tasks.reduce((one, other) => Math.max(one, other), 0).toFixed(0);
  const count = (tasks: readonly number[]): number => tasks.filter((task) => task > long).length;
  console.log(
    `${what}: ${took} ms; tasks over ${long} ms by processor time ${count(processor)} of ${processor.length} (longest ${longest(processor)} ms), by the clock ${count(clock)} of ${clock.length} (longest ${longest(clock)} ms)`,
  );
}

const site = await startFakeSite({ wizard: builtWizard });
const browser = await startBrowser();
try {
  tell(site, runStory());
  fillLog(site, lines);
  await using visitor = await visit(browser, site);
  const { page, context } = visitor;
  await page.goto('/clusters');
  await page.getByRole('heading', { name: 'Clusters' }).first().waitFor();
  const counted = (text: string): Promise<void> =>
    page.locator('.remuda-log [role=status]', { hasText: new RegExp(`^${text}$`) }).waitFor();
  await measure(page, `open the run and load ${lines} lines`, async () => {
    await page.goto('/operations/op-1');
    await counted('200,000 lines');
  });
  await measure(page, 'type a search of six letters', async () => {
    await page.getByLabel('Search the log').pressSequentially('needle', { delay: 60 });
    await page.locator('.remuda-search', { hasText: /^20\b/ }).waitFor();
  });
  await measure(page, 'show only matching', async () => {
    await page.getByText('Only matching').click();
    await counted('20 of 200,000 lines');
  });
  await measure(page, 'show all again', async () => {
    await page.getByLabel('Reset').click();
    await counted('200,000 lines');
  });
  await measure(page, 'filter by machine', async () => {
    await page.getByLabel('Machine', { exact: true }).selectOption('demo-w2');
    await counted('40,000 of 200,000 lines');
  });
  await page.getByLabel('Machine', { exact: true }).selectOption('');
  await counted('200,000 lines');
  await measure(page, 'scroll for five seconds, 4,000 pixels a frame', () =>
    page.locator('.remuda-log-window').evaluate(async (box) => {
      const until = performance.now() + 5000;
      while (performance.now() < until) {
        box.scrollBy(0, box.scrollTop < 4000 ? 2_000_000 : -4000);
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  await measure(page, '10,000 new lines in ten seconds', async () => {
    for (let said = 0; said < 10_000; said += 100) {
      for (let line = 0; line < 100; line += 1) site.engine.say(`one of many lines, ${said + line}`);
      await page.waitForTimeout(100);
    }
    await counted('210,000 lines');
  });
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  console.log(`heap ${Math.round(usedSize / 1024 / 1024)} MB, ${elements} elements`);
} finally {
  await browser.close();
  await site[Symbol.asyncDispose]();
}
