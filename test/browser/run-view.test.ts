import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSite, startFakeSite } from '../integration/api/fake-site.ts';
import { RunPage } from './run-page.ts';
import { runStory, type RunStory, tell } from './run-story.ts';
import { builtWizard, startBrowser, visit, type Visitor } from './visitor.ts';

let browser: Browser;
let site: FakeSite;
let visitor: Visitor;
let page: Page;
let run: RunPage;
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

async function open(look: Parameters<typeof visit>[2] = {}): Promise<void> {
  visitor = await visit(browser, site, look);
  ({ page } = visitor);
  run = new RunPage(page);
  await run.open();
}

/** Asks again until the answer is as wanted: a busy machine may take its time. */
const soon = <Answer>(ask: () => Answer | Promise<Answer>): ReturnType<typeof expect.poll<Answer>> =>
  expect.poll(ask, { timeout: 100_000 });

describe('the steps and machines', () => {
  test('say what is awaited, since when, how long usually, and what one could do (complaint 1)', async () => {
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

  test('a failure shows cause, remedy, code and last lines on top, and can be resumed (complaint 19)', async () => {
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
  await run.countIs(`${attacks.length} lines`);
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

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(['running', 'failed', 'table'])(
    'the run view (%s) has no accessibility violation',
    async (form) => {
      for (let number = 0; number < 200; number += 1) site.engine.say(`E1121 error ${number}`);
      if (form === 'failed') tell(site, runStory({ isFailed: true }));
      await open({ colorScheme });
      await run.countIs('200 lines');
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
