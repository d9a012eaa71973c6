import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { addFakeCluster } from '../integration/api/fake-clusters.ts';
import { type FakeSite, startFakeSite } from '../integration/api/fake-site.ts';
import { look } from './browser.ts';
import { builtWizard, startBrowser, visit, type Visitor } from './visitor.ts';

let browser: Browser;
let site: FakeSite;
let visitor: Visitor;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  site = await startFakeSite({ wizard: builtWizard });
});
afterEach(async () => {
  await visitor[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

test('200 clusters (issue 3): all are there, and found by name, provider or health', async () => {
  for (let number = 1; number <= 200; number += 1) addFakeCluster(site, `team-${number}`);
  const broken = site.engine.clusters.get('team-77');
  if (broken !== undefined) site.engine.clusters.set('team-77', { ...broken, phase: 'Failed' });
  visitor = await visit(browser, site);
  const { page } = visitor;
  await page.goto('/');
  const lines = page.getByLabel('Clusters', { exact: true }).locator('tbody tr');
  await expect.poll(() => lines.count()).toBe(200);
  const search = page.getByLabel('Find by name, provider or health').first();
  await search.fill('team-15');
  await expect.poll(() => lines.count()).toBe(11);
  await page.getByText('11 of 200').waitFor();
  await search.fill('stopped');
  await expect.poll(() => lines.allTextContents()).toEqual([expect.stringContaining('team-77')]);
  await search.fill('nobody');
  await page.getByText('No cluster is like “nobody”.').waitFor();
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(() => lines.count()).toBe(200);
  await look(page, '31-many-clusters');
  expect(visitor.errors).toEqual([]);
});

test('ten clusters are taken in at a glance: no search', async () => {
  for (let number = 1; number <= 10; number += 1) addFakeCluster(site, `team-${number}`);
  visitor = await visit(browser, site);
  await visitor.page.goto('/');
  await visitor.page.getByRole('link', { name: 'team-10' }).waitFor();
  expect(await visitor.page.getByLabel('Find by name, provider or health').count()).toBe(0);
});
