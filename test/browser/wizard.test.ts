import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, goOn, look, retypeFile, signIn, startChromium, type Visit, visit } from './browser.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';

let site: FleetSite;
let browser: Browser;
let maria: Visit;
let page: Page;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFleetSite(), startChromium()]);
  maria = await visit(browser, site.url);
  page = maria.page;
});

afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const next = (heading: string): Promise<void> => goOn(page, heading);

const retype = (text: string): Promise<void> => retypeFile(page, text);

describe('the door in a browser (issue 3, DESIGN §8)', () => {
  it('shows a stranger only the set-up page, wherever she knocks', async () => {
    await page.goto('/clusters/anything/yaml');
    await page.getByRole('heading', { name: 'Set up Remuda' }).waitFor();
    await look(page, '01-set-up');
  });

  it('loads less than 250 kB of compressed scripts for the door', async () => {
    const bytes = await page.evaluate(() =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(({ name }) => name.endsWith('.js'))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    );
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(250_000);
  });

  it('refuses a wrong code with a reason and a remedy, and takes the right one', async () => {
    await page.getByLabel('Set-up code').fill('AAAA-BBBB-CCCC-DDDD');
    await page.getByLabel('Your name').fill('maria');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
    await page.getByRole('button', { name: 'Set up and sign in' }).click();
    await page.locator('.remuda-problem').waitFor();
    await claim(page, site.folder);
    await look(page, '03-no-clusters');
  });

  it('signs out and in again, and says nothing of who exists', async () => {
    await page.getByRole('button', { name: 'maria' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await look(page, '02-sign-in');
    await signIn(page, { name: 'maria', password: 'not her password at all' });
    const refusal = await page.locator('.remuda-problem').innerText();
    await page.reload();
    await signIn(page, { name: 'nobody', password: 'not her password at all' });
    expect(await page.locator('.remuda-problem').innerText()).toBe(refusal);
    await page.reload();
    await signIn(page);
    await page.getByRole('heading', { name: 'Clusters', level: 1 }).waitFor();
  });
});

describe('from an empty page to a cluster and back (issue 3)', () => {
  it('begins a draft that is valid as it stands, with what is on board', async () => {
    await page.getByRole('button', { name: 'New cluster' }).click();
    await page.getByRole('heading', { name: 'What is on board' }).waitFor();
    await page.getByText('1.20.2').waitFor();
    await page.getByText('Draft saved').waitFor();
    await look(page, '10-supplies');
    await next('Where the machines come from');
    await look(page, '11-provider');
    await next('Name and version');
    await look(page, '12-cluster');
  });

  it("stops at the step whose field the daemon's validator refuses, with the remedy under the field", async () => {
    await page.getByLabel('Name', { exact: true }).fill('Bad_name');
    await page.getByRole('button', { name: 'Next' }).click();
    const problem = page.locator('.remuda-field', { hasText: 'is not a valid name' });
    await problem.waitFor();
    expect(await problem.innerText()).toContain('Write bad-name.');
    expect(page.url()).toContain('/cluster');
    await look(page, '13-cluster-refused');
    await page.getByLabel('Name', { exact: true }).fill('prod-east');
    await next('Masters and workers');
  });

  it('writes the file as the form is filled in, and keeps comments', async () => {
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
    const editor = page.getByRole('textbox', { name: 'Answer file' });
    await editor.waitFor();
    await page.getByRole('button', { name: '1', exact: true }).click();
    await page.getByLabel('Machines', { exact: true }).fill('1');
    await expect
      .poll(() => editor.innerText())
      .toContain('replicas: 1 # an odd number: etcd needs a majority');
    await look(page, '14-machines-yaml');
  });

  it('fills in the form as the file is written', async () => {
    const editor = page.getByRole('textbox', { name: 'Answer file' });
    const text = await editor.innerText();
    await retype(text.replace('name: general', 'name: edge # near the customers'));
    await expect.poll(() => page.getByLabel('Name of the group').inputValue()).toBe('edge');
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
    await look(page, '15-machines');
  });

  it('keeps everything over a reload, also the step', async () => {
    await page.getByText('Draft saved').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Masters and workers' }).waitFor();
    expect(await page.getByLabel('Name of the group').inputValue()).toBe('edge');
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('prod-east');
  });

  it('rests the form while the YAML cannot be read, and shows where', async () => {
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
    const editor = page.getByRole('textbox', { name: 'Answer file' });
    await editor.waitFor();
    const text = await editor.innerText();
    await retype(`${text}\n  broken: [1`);
    await page.getByText('The YAML cannot be read just now').waitFor();
    await page.locator('.remuda-problem').first().waitFor();
    await retype(text);
    await page.getByLabel('Name of the group').waitFor();
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
  });

  it('checks the site, shows plan and file side by side, and makes the cluster', async () => {
    await next('Networks and add-ons');
    await look(page, '16-network');
    await next('Commands of your own');
    await page.getByText('There is no hook yet.').waitFor();
    await next('Will it work here?');
    await page.getByText('All checks passed').waitFor();
    await look(page, '17-preflight');
    await next('This is what will happen');
    await page.getByRole('region', { name: 'Plan' }).getByText('prod-east ·').waitFor();
    await page.getByRole('textbox', { name: 'Answer file, to be read' }).waitFor();
    await look(page, '18-review');
    await page.getByRole('button', { name: 'Make the cluster' }).click();
    await page.waitForURL(/\/run\//);
    await page.getByRole('heading', { name: 'prod-east is ready' }).waitFor();
    await look(page, '20-done');
    await page.getByRole('button', { name: 'Get a kubeconfig' }).click();
    await page.getByText('There is no secret in it').waitFor();
    expect(await page.getByRole('textbox', { name: 'Command' }).inputValue()).toBe(
      'kubectl --kubeconfig prod-east.kubeconfig get nodes',
    );
    await look(page, '21-kubeconfig');
  });

  it('shows the cluster from every side', async () => {
    await page.getByRole('link', { name: 'Look at the cluster' }).click();
    await page.getByRole('heading', { name: 'prod-east', level: 1 }).waitFor();
    await look(page, '31-cluster-overview');
    for (const tab of ['Machines', 'Operations', 'Events', 'Access', 'YAML']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tab', { name: tab, selected: true }).waitFor();
      await look(page, `32-cluster-${tab.toLowerCase()}`);
    }
    await page.getByRole('link', { name: 'Clusters', exact: true }).first().click();
    await page.getByRole('link', { name: 'prod-east' }).waitFor();
    await look(page, '30-clusters');
    await page.getByRole('link', { name: 'Supplies' }).click();
    await page.getByText('1.20.2').waitFor();
    await look(page, '40-supplies');
  });

  it('deletes it by its name once more, and shows the three lists', async () => {
    for (const cluster of site.fleet.clusters.values()) cluster.isGoing = true;
    await page.goto('/clusters/prod-east');
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByText('cannot be had back').waitFor();
    const action = page.getByRole('button', { name: 'Delete the cluster' });
    await page.getByLabel('Type prod-east to confirm').fill('prod-eas');
    expect(await action.isDisabled()).toBe(true);
    await page.getByLabel('Type prod-east to confirm').fill('prod-east');
    await look(page, '33-delete');
    await action.click();
    await page.waitForURL(/\/operations\//);
    await page.getByText('What became of everything').waitFor();
    await look(page, '34-deleted');
  });

  it('breaks no rule of its content security policy and throws nothing', () => {
    expect(maria.faults).toEqual([]);
  });
});
