import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerFile } from '../faults/answer-file.ts';
import { placeWorkload } from '../fleet/model/controllers.ts';
import { addLate } from '../fleet/model/late-machine.ts';
import { look } from './browser.ts';
import { FleetApi } from './fleet-api.ts';
import { startFleetSite, type FleetSite } from './fleet-site.ts';
import { startBrowser, visit } from './visitor.ts';

let browser: Browser;
let site: FleetSite;
let api: FleetApi;

beforeAll(async () => {
  [browser, site] = await Promise.all([startBrowser(), startFleetSite()]);
  api = new FleetApi(site);
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

test('leftovers: what is where, since when and of what; what belongs to nobody goes with its name typed (complaint 16)', async () => {
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  await page.goto('/leftovers');
  await page.getByText('No deleted cluster has left anything behind.').waitFor();

  // A cluster with a volume is deleted; a machine of it comes into being afterwards, and one of nobody is there as well.
  await api.make(answerFile({ masters: 1, workers: 1 }));
  const [demo] = site.fleet.clusters.values();
  if (demo === undefined) throw new Error('there is no cluster');
  placeWorkload(site.fleet, demo, 'demo-general-1');
  demo.isGoing = true;
  const deletion = await api.ask<{ readonly id: string }>('POST', '/api/v1/clusters/demo/delete', {
    confirm: 'demo',
  });
  await api.succeeded(deletion.id);
  addLate(site.fleet, demo, 'demo-general-2');
  const unknown = site.fleet.cluster({ uid: '0000-lost', name: 'old-lab' });
  unknown.infrastructure = 'present';

  await page.getByRole('link', { name: 'Leftovers' }).focus();
  await page.keyboard.press('Enter');
  await page.reload();
  const deleted = page.getByRole('grid', { name: 'Left behind by deletions' });
  const kept = deleted.getByRole('row', { name: /volume/ });
  await expect
    .poll(() => kept.textContent())
    .toMatch(/disk-demo.*demo.*Kept by policy.*deletion.volumes: retain/);
  const found = page.getByRole('grid', { name: 'Found at the providers' });
  const stray = found.getByRole('row', { name: new RegExp(demo.identity.uid) });
  await expect.poll(() => stray.textContent()).toContain('1 machine');
  await expect
    .poll(() => found.getByRole('row', { name: /old-lab/ }).textContent())
    .toContain('never known here');
  await page.getByText('adopt what you want to keep').waitFor();
  await stray.getByText('1 machine').click();
  await stray.getByText('machine demo-general-2').waitFor();
  await look(page, '80-leftovers');

  await stray.getByRole('button', { name: /^Remove what is left of demo/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('demo-general-2').first().waitFor();
  const remove = dialog.getByRole('button', { name: 'Remove it' });
  await dialog.getByLabel('Type demo to confirm').fill('dem');
  expect(await remove.isDisabled()).toBe(true);
  await dialog.getByLabel('Type demo to confirm').fill('demo');
  await look(page, '81-sweep-question');
  await remove.click();
  await page.waitForURL(/\/operations\//);
  await page.getByText('What became of everything').waitFor({ timeout: 90_000 });
  expect(demo.machines.size).toBe(0);

  await page.goto('/leftovers');
  await found.getByRole('row', { name: /old-lab/ }).waitFor();
  expect(await page.getByText('demo-general-2').count()).toBe(0);
  // The volume is kept still: a sweep goes by the same policy.
  expect(demo.made.has('disk-demo')).toBe(true);
  expect(site.fleet.violations).toEqual([]);
  // The page of a sweep asks for its cluster, which is gone.
  expect(visitor.errors.filter((error) => !error.includes('404'))).toEqual([]);
});
