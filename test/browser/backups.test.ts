import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BackupList, OperationDetail } from '../../daemon/api/types.ts';
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

test('backups: none yet, one click to one, a word about one that somebody changed, and one removed by hand', async () => {
  await using visitor = await visit(browser, site);
  const { page, context } = visitor;
  const ask = async <Answer>(path: string): Promise<Answer> =>
    (await (await context.request.get(path)).json()) as Answer;
  const backup = '{ schedule: "30 2 * * *", timeZone: Europe/Berlin }';
  const applied = await insecureFetch(`${site.url}/api/v1/apply`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: answerFile({ masters: 1, workers: 1, backup }), file: 'demo.yaml' }),
  });
  const { operations } = JSON.parse(applied) as { readonly operations: readonly OperationDetail[] };
  const made = `/api/v1/operations/${operations[0]?.id ?? ''}`;
  await expect
    .poll(async () => (await ask<OperationDetail>(made)).state, { timeout: 90_000 })
    .toBe('succeeded');

  await page.goto('/clusters/demo/backups');
  await page.getByText('There is no backup yet.').waitFor();
  await page.getByText('The next one by schedule:').waitFor();
  await page.getByRole('button', { name: 'Back up…' }).click();
  await page.getByRole('dialog').getByText('of etcd and the keys, at the state disk').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Back up now' }).click();
  await page.getByRole('heading', { name: 'Back up demo' }).waitFor();
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });

  await page.goto('/clusters/demo/backups');
  const row = page.getByRole('grid', { name: 'Backups' }).getByRole('row').nth(1);
  await expect.poll(() => row.textContent()).toMatch(/the state disk.*as it was written/);
  await look(page, '50-backups');
  const [kept] = site.fleet.backups;
  const written = kept?.manifest.file.sha256 ?? '';
  if (kept !== undefined) kept.manifest.file.sha256 = 'f'.repeat(64);
  await page.reload();
  await expect.poll(() => row.textContent()).toMatch(/changed since it was written/);
  const { backups } = await ask<BackupList>('/api/v1/clusters/demo/backups');
  expect(backups.map(({ standing }) => standing)).toEqual(['changed']);

  // By hand: the only one is not as it was written, so nobody is asked for more than a click.
  await page.getByRole('button', { name: /^Remove the backup / }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('It lies at the state disk.').waitFor();
  expect(await dialog.getByRole('checkbox').count()).toBe(0);
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  expect(site.fleet.backups).toHaveLength(1);
  if (kept !== undefined) kept.manifest.file.sha256 = written;
  await page.reload();
  await page.getByRole('button', { name: /^Remove the backup / }).click();
  const action = dialog.getByRole('button', { name: 'Remove the backup' });
  expect(await action.isDisabled()).toBe(true);
  await look(page, '51-remove-backup');
  await dialog.getByRole('checkbox').check();
  await action.click();
  await page.getByText('There is no backup yet.').waitFor();
  expect(site.fleet.backups).toEqual([]);
  expect(visitor.errors).toEqual([]);
});
