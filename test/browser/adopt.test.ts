import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HandOver, IntentAnswer } from '../../daemon/api/types.ts';
import { openWith } from '../../daemon/cli/hand-over.ts';
import { answerFile } from '../faults/answer-file.ts';
import { look } from './browser.ts';
import { FleetApi } from './fleet-api.ts';
import { startFleetSite, type FleetSite } from './fleet-site.ts';
import { startBrowser, visit } from './visitor.ts';

let browser: Browser;
let site: FleetSite;
let api: FleetApi;
const folder = mkdtempSync(join(tmpdir(), 'remuda-adopt-'));

beforeAll(async () => {
  [browser, site] = await Promise.all([startBrowser(), startFleetSite()]);
  api = new FleetApi(site);
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Gives the cluster away as the command does: its keys are opened before anything begins. Answers what it hands over. */
async function eject(): Promise<{ readonly described: string; readonly sshKey: string }> {
  const { recipient, open } = await openWith();
  const given = await api.ask<HandOver>('POST', '/api/v1/clusters/demo/hand-over', { recipient });
  const { receipt, keys } = await open(given.sealed);
  const wish = { receipt, confirm: 'demo' };
  const { operation } = await api.ask<IntentAnswer>('POST', '/api/v1/clusters/demo/eject', wish);
  await api.succeeded(operation?.id ?? '');
  return { described: given.answerFile, sshKey: keys.sshPrivateKey };
}

const fileWith = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

test('a cluster that runs is adopted: whom each machine says it is stands in the plan, and its key on no page (H23)', async () => {
  await api.make(answerFile({ masters: 1, workers: 1 }));
  const { described, sshKey } = await eject();
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  await page.goto('/clusters');
  await page.getByRole('link', { name: 'Adopt a cluster…' }).click();

  const see = page.getByRole('button', { name: 'See what adopting it does' });
  expect(await see.isDisabled()).toBe(true);
  const answers = fileWith('answers.yaml', described);
  const key = fileWith('key', sshKey);
  const inputs = page.locator('input[type=file]');
  const [master] = [...site.fleet.clusters.values()].flatMap(
    ({ machines }) => machines.get('demo-cp-1') ?? [],
  );
  await page.getByLabel('Address').fill(master?.address ?? '');
  // While one file is read the other is chosen, and something is typed: nothing of it is lost.
  await Promise.all([inputs.nth(0).setInputFiles(answers), inputs.nth(1).setInputFiles(key)]);
  await page.getByLabel('Fingerprint of the master’s host key').fill('SHA256:of-somebody-else');
  // The answer file may be read and written on the page; what the key's file holds may not.
  expect(await page.locator('textarea').count()).toBe(1);
  expect(await page.locator('textarea').inputValue()).toBe(described);
  expect(await page.content()).not.toContain('PRIVATE KEY');

  await see.click();
  const code = page.locator('.remuda-problem-code');
  await expect.poll(() => code.textContent()).toContain('ADOPT-');
  await code.scrollIntoViewIfNeeded();
  await look(page, '85-adopt-refused');
  await page.getByLabel('Fingerprint of the master’s host key').fill('');
  expect(await code.count()).toBe(0);
  await page.getByRole('button', { name: 'See what adopting it does' }).click();
  await page.getByRole('heading', { name: 'What adopting it does' }).waitFor();
  await expect.poll(() => page.locator('main').textContent()).toMatch(/demo-general-1.*SHA256:/);
  await page.getByRole('button', { name: 'Adopt it' }).scrollIntoViewIfNeeded();
  await look(page, '86-adopt-plan');
  await page.getByRole('button', { name: 'Adopt it' }).click();
  await page.waitForURL(/\/operations\//);
  const operation = page.url().split('/').at(-1) ?? '';
  await api.succeeded(operation);
  await page.goto('/clusters');
  await page.getByRole('link', { name: 'demo' }).waitFor();
  expect(site.fleet.violations).toEqual([]);
});
