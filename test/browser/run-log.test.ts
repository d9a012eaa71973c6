import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FakeSite, startFakeSite } from '../integration/api/fake-site.ts';
import { Follower } from '../integration/api/follower.ts';
import { RunPage } from './run-page.ts';
import { fillLog, runStory, tell } from './run-story.ts';
import { builtWizard, startBrowser, visit, type Visitor } from './visitor.ts';

/** Elements of the whole page, log and all; the lines alone would be millions. */
const mostElements = 2_500;

let browser: Browser;
let site: FakeSite;
let visitor: Visitor;
let page: Page;
let run: RunPage;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  site = await startFakeSite({ wizard: builtWizard });
  tell(site, runStory());
});
afterEach(async () => {
  await visitor[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function open(): Promise<void> {
  visitor = await visit(browser, site);
  ({ page } = visitor);
  run = new RunPage(page);
  await run.open();
}

test('200,000 lines: followed, searched, filtered, copied and taken away, with few elements', async () => {
  fillLog(site, 200_000);
  await open();
  await run.countIs('200,000 lines');
  await expect.poll(() => run.drawn()).toContain(200_000);
  expect((await run.drawn()).length).toBeLessThan(120);
  expect(await run.elements()).toBeLessThan(mostElements);
  await page.locator('.remuda-log-window').evaluate((box) => box.scrollTo({ top: 100_000 * 20 }));
  await expect.poll(() => run.seen()).toContain(100_005);
  expect((await run.drawn()).length).toBeLessThan(120);
  expect(await page.getByLabel('Follow').isChecked(), 'who scrolls back follows no more').toBe(false);
  site.engine.say('one more');
  await run.countIs('200,001 lines');
  expect(await run.seen()).toContain(100_005);
  await page.getByText('Follow', { exact: true }).click();
  await expect.poll(() => run.seen()).toContain(200_001);

  await page.getByLabel('Search the log').fill('NEEDLE');
  await run.foundIs('20');
  await page.keyboard.press('Enter');
  await run.foundIs('1 of 20');
  await expect.poll(() => run.seen()).toContain(5_000);
  await page.getByLabel('Next').click();
  await expect.poll(() => run.seen()).toContain(15_000);
  await run.foundIs('2 of 20');
  expect(await page.locator('mark').first().textContent()).toBe('needle');
  await page.getByText('Only matching').click();
  await run.countIs('20 of 200,001 lines');
  expect(await run.drawn()).toHaveLength(20);
  await page.getByLabel('Reset').click();
  await page.getByLabel('Search the log').fill('no such text anywhere');
  await page.getByText('No line is like that.').waitFor();
  await page.getByLabel('Reset').click();
  await page.getByText('Only matching').click();
  await run.countIs('200,001 lines');

  await page.getByLabel('Machine', { exact: true }).selectOption('demo-w2');
  await run.countIs('40,000 of 200,001 lines');
  await page.getByLabel('Level').selectOption('error');
  await run.countIs('4,000 of 200,001 lines');
  await page.getByLabel('Level').selectOption('plain');
  await page.getByLabel('Machine', { exact: true }).selectOption('');
  await page.getByRole('button', { name: /^demo-m3/ }).click();
  await run.countIs('1,000 of 200,001 lines');
  await page.getByRole('button', { name: 'Show all steps' }).click();
  await run.countIs('200,001 lines');

  await page.getByLabel('Follow').check({ force: true });
  await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('[data-line="200000"]').click();
  await page.getByRole('button', { name: 'Copy line' }).click();
  await page.getByText('Line copied').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toBe(site.engine.lines[199_999]?.text);
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Link copied').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `${site.url}/operations/op-1#line-200000`,
  );
  await page.getByLabel('Level').selectOption('error');
  await run.countIs('20,000 of 200,001 lines');
  const lines = await run.downloaded();
  expect(lines).toHaveLength(20_000);
  expect(lines.every((line) => line.includes('E1121'))).toBe(true);
  expect(visitor.errors).toEqual([]);
});

test('a reload keeps place, filter and chosen line; a link to a line opens there', async () => {
  fillLog(site, 40_000);
  await open();
  await run.countIs('40,000 lines');
  await page.getByLabel('Search the log').fill('needle');
  await run.foundIs('4');
  await page.keyboard.press('Enter');
  await run.foundIs('1 of 4');
  expect(new URL(page.url()).hash).toBe('#line-5000');
  await page.reload();
  await expect.poll(() => run.seen()).toContain(5_000);
  expect(await page.getByLabel('Search the log').inputValue()).toBe('needle');
  expect(await page.locator('[aria-selected=true]').getAttribute('data-line')).toBe('5000');
  // All lines are there again first: a box that is still short would be scrolled to its end, and follow.
  await run.countIs('40,000 lines');
  await page.getByRole('button', { name: 'Leave this line' }).click();
  await page.locator('.remuda-log-window').evaluate((box) => box.scrollTo({ top: 30_000 * 20 }));
  await expect.poll(() => run.seen()).toContain(30_003);
  await page.reload();
  await expect.poll(() => run.seen()).toContain(30_003);
  const other = await visitor.context.newPage();
  await other.goto('/operations/op-1#line-23456');
  await other.locator('[aria-selected=true][data-line="23456"]').waitFor();
  await other.getByText('Line 23,456').waitFor();
});

test('a lost connection is said with its time, and afterwards every line is there once', async () => {
  await open();
  for (let number = 0; number < 1000; number += 1) site.engine.say(`before ${number}`);
  await run.countIs('1,000 lines');
  await site.pause();
  const notice = page.locator('.remuda-notice-warning');
  await notice.waitFor();
  expect(await notice.textContent()).toMatch(
    /Connection lost at \d\d:\d\d:\d\d.*Trying again.*continues after line 1,000 without a gap/,
  );
  for (let number = 0; number < 5000; number += 1) site.engine.say(`while away ${number}`);
  await site.resume();
  await notice.waitFor({ state: 'detached' });
  await run.countIs('6,000 lines');
  await page.getByLabel('Search the log').fill('while away');
  await run.foundIs('5,000');
  await expect.poll(() => run.seen()).toContain(6000);
});

test('many lines at once: no picture of a followed log is empty, and it goes on following', async () => {
  fillLog(site, 200);
  await open();
  await run.countIs('200 lines');
  await expect.poll(() => run.seen()).toContain(200);
  const log = page.locator('.remuda-log-window');
  await log.evaluate((box) => {
    const look = (): void => {
      const { top, bottom } = box.getBoundingClientRect();
      const isInSight = (line: Element): boolean => {
        const at = line.getBoundingClientRect();
        return at.bottom > top + 1 && at.top < bottom - 1;
      };
      const isEmpty = ![...box.querySelectorAll('[data-line]')].some(isInSight);
      if (isEmpty) box.setAttribute('data-empty', 'yes');
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  for (let batch = 1; batch <= 20; batch += 1) {
    for (let number = 0; number < 200; number += 1) site.engine.say(`batch ${batch} line ${number}`);
    await expect.poll(() => run.seen()).toContain(200 + batch * 200);
  }
  expect(await page.getByLabel('Follow').isChecked()).toBe(true);
  expect(await log.getAttribute('data-empty')).toBeNull();
  await page.setViewportSize({ width: 1440, height: 620 });
  await expect.poll(() => run.seen()).toContain(4_200);
});

test('20 socket clients and a browser follow one run: nobody misses a line (issue 3, proof 4)', async () => {
  await open();
  const wanted = 10_000;
  const followers = Array.from({ length: 20 }, () => new Follower(site, 'op-1', wanted));
  await Promise.all(followers.map((follower) => follower.connected));
  for (let said = 1; said <= wanted; said += 1) {
    site.engine.say(`line ${said}`);
    if (said % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (said % 500 === 0) followers[(said / 500) % followers.length]?.cut();
  }
  await Promise.all(followers.map((follower) => follower.done));
  const expected = Array.from({ length: wanted }, (_, index) => index + 1);
  for (const follower of followers) {
    expect(follower.got).toEqual(expected);
    follower.close();
  }
  await run.countIs('10,000 lines');
  expect(await run.downloaded()).toHaveLength(wanted);
  expect(visitor.errors).toEqual([]);
});
