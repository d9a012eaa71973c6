import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSite, startFakeSite } from '../integration/api/fake-site.ts';
import { fillLog, runStory, type RunStory, tell } from './run-story.ts';
import { builtWizard, startBrowser, visit, type Visitor } from './visitor.ts';

/** Elements of the whole page, log and all; the lines alone would be millions. */
const mostElements = 2_500;

let browser: Browser;
let site: FakeSite;
let visitor: Visitor;
let page: Page;
let story: RunStory;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  site = await startFakeSite({ wizard: builtWizard });
  story = runStory();
  tell(site, story);
});
afterEach(async () => {
  await visitor[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function open(look: Parameters<typeof visit>[2] = {}, hash = ''): Promise<void> {
  visitor = await visit(browser, site, look);
  ({ page } = visitor);
  await page.goto(`/operations/op-1${hash}`);
  await page.getByRole('heading', { name: 'Create demo' }).waitFor();
}

/** Asks again until the answer is as wanted: a busy machine may take its time. */
const soon = <Answer>(ask: () => Answer | Promise<Answer>): ReturnType<typeof expect.poll<Answer>> =>
  expect.poll(ask, { timeout: 100_000 });

/** Waits until the log's own words are these: `3 lines`, `2 of 3 lines`. */
const countIs = (text: string): Promise<void> =>
  page
    .locator('.remuda-log [role=status]', { hasText: new RegExp(`^${text}$`) })
    .first()
    .waitFor();

/** Waits until the search says so: `20`, `1 of 20`. */
const foundIs = (text: string): Promise<void> =>
  page.locator('.remuda-search', { hasText: new RegExp(`^${text}\\b`) }).waitFor();

const drawn = (): Promise<number[]> =>
  page.$$eval('[data-line]', (lines) => lines.map((line) => Number(line.getAttribute('data-line'))));

const elements = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length);

/** Numbers of the lines that can be seen. */
const seen = (): Promise<number[]> =>
  page.$$eval('[data-line]', (lines) => {
    const box = document.querySelector('.remuda-log-window')?.getBoundingClientRect();
    return lines
      .filter((line) => {
        const { top, bottom } = line.getBoundingClientRect();
        return box !== undefined && top >= box.top - 1 && bottom <= box.bottom + 1;
      })
      .map((line) => Number(line.getAttribute('data-line')));
  });

test('200,000 lines: followed, searched, filtered, copied and taken away, with few elements', async () => {
  fillLog(site, 200_000);
  await open();
  await countIs('200,000 lines');
  await soon(drawn).toContain(200_000);
  expect((await drawn()).length).toBeLessThan(120);
  expect(await elements()).toBeLessThan(mostElements);
  await page.locator('.remuda-log-window').evaluate((box) => box.scrollTo({ top: 100_000 * 20 }));
  await soon(seen).toContain(100_005);
  expect((await drawn()).length).toBeLessThan(120);
  expect(await page.getByLabel('Follow').isChecked(), 'who scrolls back follows no more').toBe(false);
  site.engine.say('one more');
  await countIs('200,001 lines');
  expect(await seen()).toContain(100_005);
  await page.getByText('Follow', { exact: true }).click();
  await soon(seen).toContain(200_001);

  await page.getByLabel('Search the log').fill('NEEDLE');
  await foundIs('20');
  await page.keyboard.press('Enter');
  await foundIs('1 of 20');
  await soon(seen).toContain(5_000);
  await page.getByLabel('Next').click();
  await soon(seen).toContain(15_000);
  await foundIs('2 of 20');
  expect(await page.locator('mark').first().textContent()).toBe('needle');
  await page.getByText('Only matching').click();
  await countIs('20 of 200,001 lines');
  expect(await drawn()).toHaveLength(20);
  await page.getByLabel('Reset').click();
  await page.getByLabel('Search the log').fill('no such text anywhere');
  await page.getByText('No line is like that.').waitFor();
  await page.getByLabel('Reset').click();
  await page.getByText('Only matching').click();
  await countIs('200,001 lines');

  await page.getByLabel('Machine', { exact: true }).selectOption('demo-w2');
  await countIs('40,000 of 200,001 lines');
  await page.getByLabel('Level').selectOption('error');
  await countIs('4,000 of 200,001 lines');
  await page.getByLabel('Level').selectOption('plain');
  await page.getByLabel('Machine', { exact: true }).selectOption('');
  await page.getByRole('button', { name: /^demo-m3/ }).click();
  await countIs('1,000 of 200,001 lines');
  await page.getByRole('button', { name: 'Show all steps' }).click();
  await countIs('200,001 lines');

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
  await countIs('20,000 of 200,001 lines');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the lines shown' }).click(),
  ]);
  let content = '';
  for await (const part of await file.createReadStream()) content += String(part);
  const lines = content.trimEnd().split('\n');
  expect(lines).toHaveLength(20_000);
  expect(lines.every((line) => line.includes('E1121'))).toBe(true);
  expect(visitor.errors).toEqual([]);
});

test('a reload keeps place, filter and chosen line; a link to a line opens there', async () => {
  fillLog(site, 40_000);
  await open();
  await countIs('40,000 lines');
  await page.getByLabel('Search the log').fill('needle');
  await foundIs('4');
  await page.keyboard.press('Enter');
  await foundIs('1 of 4');
  expect(new URL(page.url()).hash).toBe('#line-5000');
  await page.reload();
  await soon(seen).toContain(5_000);
  expect(await page.getByLabel('Search the log').inputValue()).toBe('needle');
  expect(await page.locator('[aria-selected=true]').getAttribute('data-line')).toBe('5000');
  await page.getByRole('button', { name: 'Leave this line' }).click();
  await page.locator('.remuda-log-window').evaluate((box) => box.scrollTo({ top: 30_000 * 20 }));
  await soon(seen).toContain(30_003);
  await page.reload();
  await soon(seen).toContain(30_003);
  const other = await visitor.context.newPage();
  await other.goto('/operations/op-1#line-23456');
  await other.locator('[aria-selected=true][data-line="23456"]').waitFor();
  await other.getByText('Line 23,456').waitFor();
});

describe('the steps and machines', () => {
  test('say what is awaited, since when, how long usually, and what one could do (complaint 5)', async () => {
    await open();
    const wait = page.locator('.remuda-wait');
    await wait.getByText('the etcd member demo-m3 to be promoted').waitFor();
    const text = (await wait.textContent()) ?? '';
    expect(text).toMatch(/last saw: learner, 41 %/);
    expect(text).toMatch(/Since \d\d:\d\d:\d\d \(.+\), usually 6 s – longer than usual/);
    expect(text).toMatch(/You could: look at the disk/);
  });

  test('a picture has a text twin with the same content', async () => {
    await open();
    const picture = page.getByRole('img', { name: /3 masters, 2 workers · 1 waiting, 1 running, 3 done/ });
    await picture.waitFor();
    expect(await picture.textContent()).toMatch(/demo-m1.*leader/);
    await page.getByRole('button', { name: 'Table' }).click();
    const row = page.getByRole('row', { name: /demo-m1/ });
    expect(await row.textContent()).toMatch(/master.*Done.*7 of 7.*etcd leader.*10\.77\.0\.10/);
    await page.getByRole('button', { name: 'demo-w2', exact: true }).press('Enter');
    expect(await page.getByLabel('Machine', { exact: true }).inputValue()).toBe('demo-w2');
  });

  test('move as events come, without a reload', async () => {
    await open();
    await page.getByText('32 of 38 steps').waitFor();
    const { operation } = story;
    const stepList = operation.stepList.map((step) =>
      step.state === 'running'
        ? { ...step, state: 'succeeded' as const, endedAt: new Date().toISOString() }
        : step,
    );
    site.engine.put({ ...operation, stepList, steps: { total: 38, ended: 34, running: 0, failed: 0 } });
    await page.getByText('34 of 38 steps').waitFor();
    await page.getByRole('img', { name: /5 done|4 done, 1 planned/ }).waitFor();
  });

  test('a failure shows cause, remedy, code and last lines on top, and can be resumed (complaint 2)', async () => {
    tell(site, runStory({ isFailed: true }));
    await open();
    const alert = page.locator('.remuda-failures');
    for (const words of [
      'does not reach the API server',
      'Let TCP 6443 through',
      'WORKER-004',
      'i/o timeout',
    ])
      await alert.getByText(words).first().waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await soon(() => site.engine.asked.map(({ name }) => name)).toContain('resumeOperation');
  });

  test('an operation that waits for approval names what it destroys and wants the cluster’s name', async () => {
    const { operation } = story;
    site.engine.put({ ...operation, state: 'waiting', waitingFor: 'approval', toApprove: ['demo-w2'] });
    await open();
    await page.getByRole('button', { name: 'Approve…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('listitem').getByText('demo-w2').waitFor();
    expect(await dialog.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('demo');
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await soon(
      () => site.engine.asked.find(({ name }) => name === 'approveOperation')?.request,
    ).toMatchObject({ confirm: 'demo' });
  });
});

test('text of machines is text: no markup, no script, no escape code of it does anything', async () => {
  const attacks = [
    '<script>globalThis.attacked = 1</script>',
    '<img src=x onerror="globalThis.attacked = 2">',
    '"><svg onload="globalThis.attacked = 3">',
    'javascript:globalThis.attacked=4',
    '{{constructor.constructor("globalThis.attacked = 5")()}}',
    '\u001b]0;title\u0007\u001b[31mred\u001b[2J',
    '\u202Egnp.exe',
  ];
  for (const text of attacks) site.engine.say(text);
  const stepList = story.operation.stepList.map((step, index) =>
    step.waiting === undefined
      ? { ...step, title: attacks[index % attacks.length] ?? '' }
      : { ...step, waiting: { ...step.waiting, what: attacks[1] ?? '', lastSeen: attacks[0] ?? '' } },
  );
  const problem = {
    kind: 'user',
    code: 'X-001',
    summary: attacks[0] ?? '',
    remedy: attacks[1] ?? '',
  } as const;
  site.engine.put({ ...story.operation, principal: attacks[2] ?? '', stepList, problem });
  await open();
  await countIs(`${attacks.length} lines`);
  for (const [index, text] of attacks.entries()) {
    await page.locator(`[data-line="${index + 1}"]`).click();
    expect(await page.locator('.remuda-chosen pre').textContent()).toBe(text);
    await page.locator(`[data-line="${index + 1}"]`).click();
  }
  await page.getByLabel('Search the log').fill('<img');
  await page.locator('mark').first().waitFor();
  expect(await page.evaluate(() => 'attacked' in globalThis)).toBe(false);
  expect(await page.locator('.remuda-run img, .remuda-run script').count()).toBe(0);
  expect(visitor.errors).toEqual([]);
});

test('a lost connection is said with its time, and afterwards every line is there once', async () => {
  await open();
  for (let number = 0; number < 1000; number += 1) site.engine.say(`before ${number}`);
  await countIs('1,000 lines');
  await site.pause();
  const notice = page.locator('.remuda-notice-warning');
  await notice.waitFor();
  expect(await notice.textContent()).toMatch(
    /Connection lost at \d\d:\d\d:\d\d.*Trying again.*continues after line 1,000 without a gap/,
  );
  for (let number = 0; number < 5000; number += 1) site.engine.say(`while away ${number}`);
  await site.resume();
  await notice.waitFor({ state: 'detached' });
  await countIs('6,000 lines');
  await page.getByLabel('Search the log').fill('while away');
  await foundIs('5,000');
  await soon(seen).toContain(6000);
});

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(['running', 'failed', 'table'])(
    'the run view (%s) has no accessibility violation',
    async (form) => {
      for (let number = 0; number < 200; number += 1) site.engine.say(`E1121 error ${number}`);
      if (form === 'failed') tell(site, runStory({ isFailed: true }));
      await open({ colorScheme });
      await countIs('200 lines');
      if (form === 'table') await page.getByRole('button', { name: 'Table' }).click();
      await page.locator('[data-line="200"]').click();
      await page.getByLabel('Search the log').fill('error 1');
      await page.locator('mark').first().waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
        [],
      );
    },
  );
});
