import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogPage, OperationDetail } from '../../daemon/api/types.ts';
import { answerFile } from '../faults/answer-file.ts';
import { startFleetSite, type FleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';
import { RunPage } from './run-page.ts';
import { startBrowser, visit } from './visitor.ts';

let browser: Browser;
let site: FleetSite;

beforeAll(async () => {
  // Slow enough that the page is there long before the cluster, however fast the box.
  [browser, site] = await Promise.all([startBrowser(), startFleetSite(15)]);
});
afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
});

test('kill -9 of the daemon in the middle of a run: the page says so, comes back, and has every line once', async () => {
  await using visitor = await visit(browser, site);
  const { page, context } = visitor;
  const ask = async <Answer>(path: string): Promise<Answer> =>
    (await (await context.request.get(path)).json()) as Answer;
  const applied = await insecureFetch(`${site.url}/api/v1/apply`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: answerFile(), file: 'demo.yaml' }),
  });
  const { operations } = JSON.parse(applied) as { readonly operations: readonly OperationDetail[] };
  const id = operations[0]?.id ?? '';
  await page.goto(`/operations/${id}`);
  await page.getByRole('heading', { name: 'Create demo' }).waitFor();
  // The log follows its end: the first lines may be out of sight already.
  await page.locator('[data-line]').first().waitFor({ state: 'attached' });

  await page.locator('.remuda-state').getByText('Running').waitFor();
  await site.kill();
  await page.locator('.remuda-notice-warning').getByText('Connection lost at').waitFor();
  await site.restart();
  await page.locator('.remuda-notice-warning').waitFor({ state: 'detached' });
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 120_000 });

  const { lines } = await ask<LogPage>(`/api/v1/operations/${id}/log?after=0&limit=5000`);
  expect(lines.length).toBeGreaterThan(0);
  const count = lines.length.toLocaleString('en');
  await page.locator('.remuda-log [role=status]', { hasText: new RegExp(`^${count} lines$`) }).waitFor();
  const shown = await new RunPage(page).downloaded();
  expect(shown).toHaveLength(lines.length);
  for (const [index, line] of lines.entries()) expect(shown[index]).toContain(line.text);

  // A reload starts with nothing but the address and has the same again.
  await page.reload();
  await page.locator('.remuda-log [role=status]', { hasText: new RegExp(`^${count} lines$`) }).waitFor();
  const { stepList } = await ask<OperationDetail>(`/api/v1/operations/${id}`);
  await page.getByText(`${stepList.length} of ${stepList.length} steps`).waitFor();
});
