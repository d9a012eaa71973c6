import type { Browser } from 'playwright-core';
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

async function applied(version: string): Promise<void> {
  const text = answerFile({ masters: 1, workers: 1, version });
  const asked = { text, file: 'demo.yaml', confirm: ['demo'] };
  type Answer = { readonly operations: readonly OperationDetail[] };
  const { operations } = await ask<Answer>('POST', '/api/v1/apply', asked);
  const path = `/api/v1/operations/${operations[0]?.id ?? ''}`;
  const state = async (): Promise<string> => (await ask<OperationDetail>('GET', path)).state;
  await expect.poll(state, { timeout: 90_000 }).toBe('succeeded');
}

test('the end of an upgrade (C3): the page says what is kept, and finalizes it when somebody gives the name', async () => {
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  await applied('1.20.2');
  await applied('1.20.3');

  await page.goto('/clusters');
  await page.getByText('Upgraded, to be finalized').waitFor();
  await page.getByText('2 of 2 ready').waitFor();
  await look(page, '70-to-be-finalized-list');
  await page.goto('/clusters/demo/machines');
  await page.getByText('Upgraded to Kubernetes 1.20.3, and not finalized yet').waitFor();
  await page.getByText('Kept for the way back, sealed off and without work: demo-cp-1.').waitFor();
  await page.getByText('left the cluster, sealed off and kept').first().waitFor();
  await look(page, '71-to-be-finalized-machines');

  await page.getByRole('button', { name: 'Finalize…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('is destroyed: control-plane, kept since the upgrade').waitFor();
  await dialog.getByText('From then on there is no way back').waitFor();
  const button = dialog.getByRole('button', { name: 'Finalize' });
  expect(await button.isDisabled()).toBe(true);
  await dialog.getByLabel('Type demo to confirm').fill('demo');
  await look(page, '72-finalize-question');
  await button.click();
  await page.getByRole('heading', { name: 'Finalize demo' }).waitFor();
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });
  await page.goto('/clusters/demo/machines');
  await page.getByRole('grid', { name: 'Machines' }).getByText('demo-cp-2').waitFor();
  expect(await page.getByText('not finalized yet').count()).toBe(0);
  expect(await page.getByText('demo-cp-1').count()).toBe(0);
  expect(visitor.errors).toEqual([]);
});
