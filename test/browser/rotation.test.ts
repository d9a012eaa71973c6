import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestCertificate } from '../../appliance/agent/pki.ts';
import { answerFile } from '../faults/answer-file.ts';
import { certifyKubelets } from '../faults/rotation-story.ts';
import { blocksIn, idOf } from '../fleet/model/trust.ts';
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

const clusterOf = () => {
  const [cluster] = site.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
};

/** Who is believed by the machines' own files, each a digest. */
const believed = (): string[][] =>
  [...clusterOf().machines.values()].map(({ files }) =>
    blocksIn(files.get('/etc/kubernetes/pki/ca.crt')?.content ?? '').map(idOf),
  );

const workload = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'shop', namespace: 'default' };

/** Starts a workload; with another mark its pods are others, as `kubectl rollout restart` makes them. */
function startShop(mark: string): void {
  const { objects } = clusterOf();
  const { name, namespace, ...type } = workload;
  objects.remove(workload);
  objects.apply(
    {
      ...type,
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations: { mark } },
          spec: { containers: [{ name }] },
        },
      },
    },
    site.fleet.now,
    'somebody',
  );
}

/** One of the three stages, by its name. */
const stageOf = (page: Page, name: string): Locator =>
  page
    .getByRole('list', { name: 'Stages' })
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading', { name, level: 2 }) });

/** Waits for the end of the operation that is shown, and goes back to the rotation by the page's own ways. */
async function ended(page: Page): Promise<void> {
  await page.waitForURL(/\/operations\//);
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });
  await page.goto('/clusters/demo/certificates');
  await page.getByRole('link', { name: /rotation…$/ }).click();
  await page.getByRole('heading', { name: 'Rotate the authorities of demo', level: 1 }).waitFor();
}

test('a rotation, stage by stage: where it is, what holds it by name, and what each stage does before consent (H12)', async () => {
  await using visitor = await visit(browser, site);
  const { page } = visitor;
  await api.make(answerFile({ masters: 3, workers: 1 }));
  certifyKubelets(site);
  const [[old] = []] = believed();
  startShop('old');

  await page.goto('/clusters/demo/certificates');
  const panel = page.getByRole('region', { name: 'Authorities' });
  await panel.getByText('One authority is believed, and it signs.').waitFor();
  await look(page, '70-authorities');
  await panel.getByRole('link', { name: 'Rotate the authorities…' }).click();

  const trust = stageOf(page, 'Believe both');
  const reissue = stageOf(page, 'Sign anew');
  const drop = stageOf(page, 'Forget the old one');
  await trust.getByText('Comes next').waitFor();
  for (const later of [reissue, drop]) {
    await later.getByText('Not possible yet').waitFor();
    await later.getByText('“Believe both” comes first.').waitFor();
    expect(await later.getByRole('button').count()).toBe(0);
  }
  const next = (name: string): Locator => page.getByRole('region', { name: `Next: ${name}` });
  await next('Believe both')
    .getByText('believes a new authority beside the one that signs')
    .first()
    .waitFor();
  await look(page, '71-rotation-trust');
  await next('Believe both').getByRole('button', { name: 'Believe a new authority, too' }).click();
  await ended(page);
  for (const ids of believed()) expect([ids[0], ids.length]).toEqual([old, 2]);

  // Pods that were started before believe the old one alone: they are named, and nothing is offered to be begun.
  await trust.getByText('Over').waitFor();
  const sign = next('Sign anew');
  await sign.getByRole('heading', { name: 'This stage is not possible yet' }).waitFor();
  await sign.getByText(/default\/shop-/).waitFor();
  expect(await sign.getByRole('button', { name: 'Let the new authority sign' }).count()).toBe(0);
  await look(page, '72-rotation-held');
  startShop('new');
  const begin = sign.getByRole('button', { name: 'Let the new authority sign' });
  await expect
    .poll(
      async () => {
        await sign.getByRole('button', { name: 'Look again' }).click();
        return begin.waitFor({ timeout: 5_000 }).then(
          () => true,
          () => false,
        );
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  // With the keyboard alone.
  await begin.focus();
  await page.keyboard.press('Enter');
  await ended(page);

  // Somebody has got a certificate meanwhile: it would end with the old authority.
  await api.ask('POST', '/api/v1/clusters/demo/credentials', { kind: 'kubeconfig' });
  const { request } = await requestCertificate();
  await api.ask('POST', '/api/v1/clusters/demo/credentials', { request, seconds: 3600 });
  const end = next('Forget the old one');
  await end.getByRole('button', { name: 'Look again' }).click();
  await end.getByText(/People hold certificates for demo/).waitFor();
  expect(await end.getByRole('button', { name: 'Forget the old authority' }).count()).toBe(0);
  await look(page, '73-rotation-people');
  await end.getByLabel('End people’s certificates at once, instead of waiting for their end').check();
  const forget = end.getByRole('button', { name: 'Forget the old authority' });
  await forget.waitFor();
  await look(page, '74-rotation-drop');
  await forget.click();
  await page.waitForURL(/\/operations\//);
  await page.locator('.remuda-state').getByText('Succeeded').waitFor({ timeout: 90_000 });

  await page.goto('/clusters/demo/certificates');
  await panel.getByText('One authority is believed, and it signs.').waitFor();
  for (const ids of believed()) expect([ids.length, ids.includes(old ?? '')]).toEqual([1, false]);
  expect(site.fleet.violations).toEqual([]);
  expect(visitor.errors).toEqual([]);
});
