import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OperationDetail } from '../../daemon/api/types.ts';
import { answerFile } from '../faults/answer-file.ts';
import { look } from './browser.ts';
import { startFleetSite, type FleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';
import { startBrowser, visit } from './visitor.ts';

let browser: Browser;
let site: FleetSite;

beforeAll(async () => {
  [browser, site] = await Promise.all([startBrowser(), startFleetSite()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

async function ask<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const answer = await insecureFetch(`${site.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return JSON.parse(answer) as Answer;
}

async function succeeded(id: string): Promise<void> {
  const state = async (): Promise<string> =>
    (await ask<OperationDetail>('GET', `/api/v1/operations/${id}`)).state;
  await expect.poll(state, { timeout: 90_000 }).toBe('succeeded');
}

const clusterOf = () => {
  const [cluster] = site.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
};

/** Somebody writes an object, as with kubectl. */
const write = (name: string): void => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: {} };
  clusterOf().objects.apply(object, site.fleet.now, 'kubectl');
};

const written = (): string[] =>
  clusterOf()
    .objects.list('v1', 'ConfigMap')
    .filter(({ metadata }) => metadata.namespace === 'default')
    .map(({ metadata }) => metadata.name);

/** Types with the keyboard alone until the focus is where it should be. */
async function tabTo(page: Page, name: string): Promise<void> {
  const focused = page.locator(':focus');
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    const found = await focused.evaluate((element) => {
      const label = 'labels' in element ? (element as HTMLInputElement).labels?.[0]?.textContent : undefined;
      return element.getAttribute('aria-label') ?? label ?? element.textContent ?? '';
    });
    if (found.trim() === name) return;
  }
  throw new Error(`the keyboard does not reach ${name}`);
}

test('restore (complaint 8): the loss stated, the consent by name, and yesterday is back', async () => {
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  const text = answerFile({ masters: 3, workers: 1 });
  const { operations } = await ask<{ readonly operations: readonly OperationDetail[] }>(
    'POST',
    '/api/v1/apply',
    {
      text,
      file: 'demo.yaml',
    },
  );
  await succeeded(operations[0]?.id ?? '');
  write('before');
  const backup = await ask<{ readonly operation: OperationDetail }>(
    'POST',
    '/api/v1/clusters/demo/operations',
    {
      intent: { kind: 'backup' },
    },
  );
  await succeeded(backup.operation.id);
  write('after');

  await page.goto('/clusters/demo/backups');
  await page.getByRole('link', { name: /^Restore \d.*…$/ }).click();
  await page.getByRole('heading', { name: 'Restore the data of demo', level: 1 }).waitFor();
  await look(page, '60-restore-choice');

  // A master that answers is not lost: the daemon says so, and nothing is offered to be begun.
  await page.getByRole('checkbox', { name: 'demo-cp-2' }).check();
  await page.getByRole('button', { name: 'See what would be lost and done' }).click();
  await page.getByText('demo-cp-2 answers: it is not lost').waitFor();
  expect(await page.getByRole('button', { name: 'Restore the data' }).count()).toBe(0);
  await page.getByRole('checkbox', { name: 'demo-cp-2' }).uncheck();

  // From here on without a mouse.
  await tabTo(page, 'See what would be lost and done');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'What is lost' }).waitFor();
  await page.getByText('Everything written since the backup').waitFor();
  await page.getByText(/\d changes? newer than the backup/).waitFor();
  const begin = page.getByRole('button', { name: 'Restore the data' });
  expect(await begin.isDisabled()).toBe(true);
  await look(page, '61-restore-plan');
  await page.getByLabel('Type demo to agree to what is lost').scrollIntoViewIfNeeded();
  await tabTo(page, 'Type demo to agree to what is lost');
  await page.keyboard.type('demo');
  await look(page, '62-restore-consent');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Restore the data of demo' }).waitFor();
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });
  await page.getByRole('heading', { name: 'What the restored data and the world do not agree on' }).waitFor();
  await look(page, '63-restored');
  expect(written()).toEqual(['before']);
  expect(site.fleet.violations).toEqual([]);
  expect(visitor.errors.filter((error) => !error.includes('422'))).toEqual([]);
});

test('restore (H4): machines of etcd are named beside the masters, and theirs is the data', async () => {
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  const text = answerFile({
    name: 'apart',
    masters: 1,
    workers: 1,
    etcd: '{ topology: external, replicas: 3 }',
  }).replace('10.64.0.0/16', '10.65.0.0/16');
  const { operations } = await ask<{ readonly operations: readonly OperationDetail[] }>(
    'POST',
    '/api/v1/apply',
    { text, file: 'apart.yaml' },
  );
  await succeeded(operations[0]?.id ?? '');
  await page.goto('/clusters/apart/restore');
  await page.getByRole('heading', { name: 'Restore the data of apart', level: 1 }).waitFor();
  await page.getByRole('radio', { name: 'The data of a machine that is left' }).check();
  const survivors = page.getByLabel('Machine whose data is kept');
  const names = await survivors.locator('option').allTextContents();
  expect(names.slice(1)).toEqual(['apart-etcd-1', 'apart-etcd-2', 'apart-etcd-3']);
  for (const name of ['apart-cp-1', 'apart-etcd-1'])
    expect(await page.getByRole('checkbox', { name }).count()).toBe(1);
  await survivors.selectOption('apart-etcd-2');
  await page.getByRole('checkbox', { name: 'apart-etcd-3' }).check();
  await page.getByRole('button', { name: 'See what would be lost and done' }).click();
  await page.getByText('apart-etcd-3 answers: it is not lost').waitFor();
  await page.getByRole('checkbox', { name: 'apart-etcd-3' }).uncheck();
  await page
    .getByRole('button', { name: 'Look again' })
    .or(page.getByRole('button', { name: 'See what' }))
    .first()
    .click();
  await page.getByRole('heading', { name: 'What is lost' }).waitFor();
  await page
    .getByText(/API servers ask etcd on apart-etcd-2 alone/)
    .first()
    .waitFor();
  await look(page, '64-restore-etcd-apart');
});
