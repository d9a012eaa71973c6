import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSite, startFakeSite } from '../integration/api/fake-site.ts';
import { RunPage } from './run-page.ts';
import { deletionStory, runStory, type RunStory, tell } from './run-story.ts';
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

async function open(
  title = 'Create demo',
  look: Parameters<typeof visit>[2] & { readonly isClockHeld?: boolean } = {},
): Promise<void> {
  visitor = await visit(browser, site, look);
  ({ page } = visitor);
  if (look.isClockHeld) await page.clock.install();
  run = new RunPage(page);
  await run.open(title);
}

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

  test('name who asked for it, and are all in sight at 1440×900', async () => {
    await open();
    await page.goto('/run/op-1');
    await page.getByText(/started .* by ada$/).waitFor();
    await page.getByRole('img', { name: /3 masters, 2 workers/ }).waitFor();
    const hidden = (): Promise<number> =>
      page.locator('.remuda-topology-body').evaluate((box) => box.scrollHeight - box.clientHeight);
    await expect.poll(hidden).toBe(0);
    expect(
      await page.locator('.remuda-topology-body').evaluate((box) => box.getBoundingClientRect().bottom),
    ).toBeLessThan(900);
  });

  test('tell of the API what the run has proven, whatever the last look was', async () => {
    const cluster = site.engine.clusters.get('demo');
    if (cluster?.observed === undefined) throw new Error('the story has a cluster');
    const { apiVersion: _, ...before } = cluster.observed;
    site.engine.clusters.set('demo', { ...cluster, observed: before });
    await open();
    const picture = page.getByRole('img', { name: /3 masters, 2 workers/ });
    await picture.getByText('coming up').waitFor();
    site.engine.put({ ...story.operation, state: 'succeeded', endedAt: new Date().toISOString() });
    await picture.getByText('answers').waitFor();
  });

  test('an agent that comes back is no alarm; one that stays away is', async () => {
    const problem = {
      kind: 'transient',
      code: 'AGENT-001',
      summary: 'no agent of site "local" is connected',
      remedy: 'Look whether the agent runs.',
    } as const;
    await open('Create demo', { isClockHeld: true });
    site.engine.put({ ...story.operation, state: 'waiting', waitingFor: 'agent', problem });
    await page.getByText('The site’s agent is coming back').waitFor();
    expect(await page.locator('.remuda-problem').count()).toBe(0);
    await page.clock.fastForward(61_000);
    // In one look: the page sets its clock by the server's, which was not held, and is back in the first minute then.
    await page.waitForFunction(() => {
      const { textContent } = document.body;
      return textContent.includes('AGENT-001') && !textContent.includes('agent is coming back');
    });
    site.engine.put(story.operation);
    await page.locator('.remuda-problem').waitFor({ state: 'detached' });
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
    await expect.poll(() => site.engine.asked.map(({ name }) => name)).toContain('resumeOperation');
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
    await expect
      .poll(() => site.engine.asked.find(({ name }) => name === 'approveOperation')?.request)
      .toMatchObject({ confirm: 'demo' });
  });

  test('where more than one must agree, it shows who has, and sends which plan was read', async () => {
    const { operation } = story;
    const agreed = [{ principal: 'user:anna', at: '2026-11-21T05:00:00.000Z' }];
    const agreement = { needed: 2, missing: 1, agreed };
    site.engine.put({
      ...operation,
      state: 'waiting',
      waitingFor: 'approval',
      toApprove: ['demo-m1'],
      agreement,
    });
    await open();
    const told = page.getByRole('region', { name: 'Who has agreed' });
    await told.getByText('1 of 2 have agreed').waitFor();
    await told.getByText('anna').waitFor();
    await page.getByRole('button', { name: 'Approve…' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('demo');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await expect
      .poll(() => site.engine.asked.find(({ name }) => name === 'approveOperation')?.request)
      .toMatchObject({ planHash: operation.planHash });
  });

  test('a maintenance window is no alarm: until when, how long yet, and the way around it by the name (V9)', async () => {
    const { operation } = story;
    const summary = 'its maintenance window opens Sat 2026-11-21 22:00 Europe/Berlin (21:00 UTC)';
    const waitsUntil = new Date(Date.now() + 5 * 3_600_000 + 30_000).toISOString();
    const problem = { kind: 'blocked', code: 'OPS-014', summary } as const;
    site.engine.put({ ...operation, state: 'waiting', waitingFor: 'window', waitsUntil, problem });
    await open();
    const held = page.locator('.remuda-held');
    await held.getByText('opens Sat 2026-11-21 22:00 Europe/Berlin (21:00 UTC)').waitFor();
    await held.getByText(/in 5 h 0 min/).waitFor();
    expect(await page.locator('.remuda-problem').count()).toBe(0);
    await page.getByRole('button', { name: 'Go on now…' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Go on now' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('demo');
    await dialog.getByRole('button', { name: 'Go on now' }).click();
    await expect
      .poll(() => site.engine.asked.find(({ name }) => name === 'overrideWindow')?.request)
      .toMatchObject({ confirm: 'demo' });
  });
});

describe('the proof of a deletion (DESIGN §6)', () => {
  /** The lines of one of the lists. */
  const list = async (title: string): Promise<string> =>
    page
      .getByRole('region', { name: 'What became of everything' })
      .locator('div', { has: page.getByRole('heading', { name: title }) })
      .last()
      .innerText();

  test('has three lists below the title, and knows masters that are gone from workers', async () => {
    tell(site, deletionStory());
    await open('Delete demo');
    await page
      .getByRole('img', { name: /3 masters, 2 workers · 5 done/ })
      .getByText('removed', { exact: true })
      .waitFor();
    expect(await list('Gone')).toMatch(
      /5 machines\s+demo-m1, demo-m2, demo-m3, demo-w1, demo-w2\s+Infrastructure/,
    );
    expect(await list('Kept by policy')).toMatch(/volume data\s+kept as deletion.volumes says/);
    expect(await list('Left or unknown, and why')).toContain('Nothing');
    const order = await page.getByRole('heading').allInnerTexts();
    expect(order.indexOf('Delete demo')).toBeLessThan(order.indexOf('What became of everything'));
    const progress = page.getByRole('progressbar', { name: 'Steps that have ended' });
    expect(await progress.evaluate((bar: HTMLProgressElement) => bar.position)).toBe(1);
  });

  test('of one that stopped says what is gone, and what is left or unknown', async () => {
    tell(site, deletionStory({ isFailed: true }));
    await open('Delete demo');
    await page.getByRole('region', { name: 'What became of everything' }).waitFor();
    expect(await list('Gone')).toMatch(/4 machines\s+demo-m1, demo-m2, demo-m3, demo-w1/);
    expect(await list('Gone')).not.toContain('Infrastructure');
    expect(await list('Left or unknown, and why')).toMatch(
      /machine demo-w2\s+demo-w2 does not stop\s+Infrastructure\s+not reached\s+Proof that nothing else is left/,
    );
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
      await open('Create demo', { colorScheme });
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
