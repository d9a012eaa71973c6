import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { answerFile } from '../faults/answer-file.ts';
import { look } from './browser.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';
import { startBrowser, visit, type Visitor } from './visitor.ts';

let browser: Browser;
let site: FleetSite;
let visitor: Visitor;

const ask = async (method: string, path: string, body?: object): Promise<unknown> =>
  JSON.parse(
    await insecureFetch(`${site.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );

beforeAll(async () => {
  [site, browser] = await Promise.all([startFleetSite(), startBrowser()]);
  const wish = { text: answerFile({ masters: 3, workers: 1 }), file: 'demo.yaml' };
  // The agent may not be linked yet.
  await vi.waitFor(() => ask('POST', '/api/v1/apply', wish), { timeout: 30_000, interval: 300 });
  await vi.waitFor(
    async () =>
      expect(await ask('GET', '/api/v1/clusters/demo')).toMatchObject({ health: { status: 'Healthy' } }),
    { timeout: 100_000, interval: 500 },
  );
  visitor = await visit(browser, site);
});

afterAll(async () => {
  await visitor[Symbol.asyncDispose]();
  await browser.close();
  await site[Symbol.asyncDispose]();
});

describe('health and drift in the wizard (K6, issue 4)', () => {
  test('the list says how a cluster is, its page says every condition', async () => {
    const { page } = visitor;
    await page.goto('/');
    await page.getByText('Healthy', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'demo', exact: true }).click();
    const health = page.getByRole('grid', { name: 'Health' });
    await expect.poll(() => health.locator('tbody tr').count()).toBe(7);
    await expect.poll(() => health.getByText('Well', { exact: true }).count()).toBe(7);
    await look(page, '32-cluster-health');
  });

  test('drift: nobody has looked; then one file on one machine, with what mends it', async () => {
    const { page } = visitor;
    const machine = site.fleet.machines().find(({ name }) => name === 'demo-cp-2');
    const path = [...(machine?.files.keys() ?? [])].find((one) => one.includes('audit')) ?? '';
    const file = machine?.files.get(path);
    machine?.files.set(path, { content: 'by hand', mode: 0o600 });
    await page.goto('/clusters/demo/drift');
    await page.getByText('Nobody has looked since something was done to this cluster.').waitFor();
    await page.getByRole('button', { name: 'Look for drift' }).click();
    const found = page.getByRole('grid', { name: 'What is not as asked' });
    await found.getByText('Different', { exact: true }).waitFor();
    await found.getByText(new RegExp(`${path} on demo-cp-2`)).waitFor();
    await found.getByText('The next apply puts it back in place.').waitFor();
    await look(page, '33-drift');
    if (file !== undefined) machine?.files.set(path, file);
  });

  test('a master that dies shows by itself: the word, the condition, and what to do', async () => {
    const { page } = visitor;
    await page.goto('/clusters/demo');
    site.fleet.addFault({ kind: 'machine-dies', machine: 'demo-cp-3', at: site.fleet.elapsed });
    await page.getByText('Degraded', { exact: true }).first().waitFor();
    await page.getByText(/demo-cp-3 is not healthy; 2 of 3 voters are, none more may fail/).waitFor();
    await page
      .getByText(/remuda machine replace demo demo-cp-3/)
      .first()
      .waitFor();
    await look(page, '34-cluster-degraded');
    expect(visitor.errors).toEqual([]);
  });
});
