import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CertificateList, OperationDetail } from '../../daemon/api/types.ts';
import { answerFile } from '../faults/answer-file.ts';
import { leafCertificates } from '../fleet/model/certificates.ts';
import { look } from './browser.ts';
import { startFleetSite, type FleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';
import { startBrowser, visit } from './visitor.ts';

let browser: Browser;
let site: FleetSite;

beforeAll(async () => {
  [browser, site] = await Promise.all([startBrowser(), startFleetSite()]);
});
const stops: (() => void)[] = [];
afterAll(async () => {
  for (const stop of stops) stop();
  await browser.close();
  await site[Symbol.asyncDispose]();
});

const day = 24 * 3_600_000;

/** Lets the certificates of the masters end in so many days. */
function age(left: number): void {
  for (const cluster of site.fleet.clusters.values())
    for (const machine of cluster.machines.values())
      for (const [path, name] of leafCertificates) {
        const file = machine.files.get(path);
        const until = new Date(Date.now() + left * day + 3_600_000).toISOString();
        const content = `model certificate ${name} of ${machine.name} until ${until}`;
        if (file !== undefined) machine.files.set(path, { content, mode: file.mode });
      }
}

test('certificates near their end: a banner, a table of all, one click to new ones (H12, complaint 13)', async () => {
  await using visitor = await visit(browser, site);
  const { page, context } = visitor;
  const ask = async <Answer>(path: string): Promise<Answer> =>
    (await (await context.request.get(path)).json()) as Answer;
  const applied = await insecureFetch(`${site.url}/api/v1/apply`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: answerFile({ masters: 3, workers: 1 }), file: 'demo.yaml' }),
  });
  const { operations } = JSON.parse(applied) as { readonly operations: readonly OperationDetail[] };
  const made = `/api/v1/operations/${operations[0]?.id ?? ''}`;
  await expect
    .poll(async () => (await ask<OperationDetail>(made)).state, { timeout: 90_000 })
    .toBe('succeeded');

  // The model's clock begins in a past year, and certificates made then are near their end for the daemon already.
  site.fleet.settle(Date.now());
  const moving = setInterval(() => site.fleet.settle(site.fleet.now + 1000), 20);
  stops.push(() => clearInterval(moving));
  age(5);
  await page.goto('/clusters/demo/certificates');
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByText('30 certificates are near the end').waitFor();
  const table = page.getByRole('grid', { name: 'Certificates' });
  const row = table.getByRole('row', { name: /demo-cp-1.*apiserver-etcd-client/ });
  await expect.poll(() => row.textContent()).toMatch(/5 days.*etcd-ca.*this page/);
  await page.getByText('which it renews by itself: demo-general-1').waitFor();
  await look(page, '40-certificates');

  await page.getByRole('button', { name: 'Renew…' }).click();
  await page.getByRole('dialog').getByText('10 certificates anew').first().waitFor();
  await look(page, '41-renew-question');
  await page.getByRole('dialog').getByRole('button', { name: 'Renew', exact: true }).click();
  await page.getByRole('heading', { name: 'Renew the certificates of demo' }).waitFor();
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });

  await page.goto('/clusters/demo/certificates');
  await page.getByRole('button', { name: 'Renew…' }).click();
  await page.getByRole('dialog').getByText('All of them are new already.').waitFor();
  expect(
    await page.getByRole('dialog').getByRole('button', { name: 'Renew', exact: true }).isDisabled(),
  ).toBe(true);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  expect(await page.getByText('near the end').count()).toBe(0);
  const { level, certificates } = await ask<CertificateList>('/api/v1/clusters/demo/certificates');
  // Beside those the three authorities, and what each master's kubelet serves with.
  expect([level, certificates.length]).toEqual(['ok', 3 * (leafCertificates.length + 4)]);
  expect(visitor.errors).toEqual([]);
});
