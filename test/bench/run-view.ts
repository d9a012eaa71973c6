/**
 * The run view in Chromium with a log of 200,000 lines (issue 3, proof 4: no task over 50 ms, DOM and heap bounded):
 * loading, searching, filtering, scrolling, new lines on top, from the act to what it shows; tasks of the page's main
 * thread by Chromium's own trace, in processor time and on the clock. The API is real, the engine behind it a fake.
 * Needs Debian's chromium and scripts/wizard. Prints; asserts nothing.
 */
import type { Page } from 'playwright-core';
import { fillLog, runStory, tell } from '../browser/run-story.ts';
import { builtWizard, startBrowser, visit } from '../browser/visitor.ts';
import { startFakeSite } from '../integration/api/fake-site.ts';
import { costText, traced } from './browser-tasks.ts';
import { row, say } from './table.ts';

const lines = 200_000;

async function measure(page: Page, what: string, act: () => Promise<unknown>): Promise<void> {
  say(what);
  row(`run view, 200,000 lines: ${what}`, costText(await traced(browser, page, act)), 'no task over 50 ms');
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
  row(
    'run view, 210,000 lines: memory',
    `heap ${Math.round(usedSize / 1024 / 1024)} MB, ${elements} elements`,
  );
} finally {
  await browser.close();
  await site[Symbol.asyncDispose]();
}
