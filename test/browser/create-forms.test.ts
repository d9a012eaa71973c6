import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, goOn, look, retypeFile, signIn, startChromium, type Visit, visit } from './browser.ts';
import { FleetApi } from './fleet-api.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';

let site: FleetSite;
let api: FleetApi;
let browser: Browser;
let maria: Visit;
let page: Page;

/** High enough for the whole file: the editor draws only the lines that are seen. */
const window = { width: 1440, height: 1900 } as const;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFleetSite(), startChromium()]);
  api = new FleetApi(site);
  maria = await visit(browser, site.url, window);
  page = maria.page;
  await claim(page, site.folder);
  await page.getByRole('button', { name: 'New cluster' }).click();
  await page.getByText('Draft saved').waitFor();
  await goOn(page, 'Where the machines come from');
  await goOn(page, 'Name and version');
  await page.getByRole('button', { name: 'YAML', exact: true }).click();
});

afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const editor = (): Locator => page.getByRole('textbox', { name: 'Answer file' });

/** Waits until the file says so; spaces count as in the file. */
const says = (text: string): Promise<void> => expect.poll(() => editor().innerText()).toContain(text);

/** Changes words of the file, as somebody does at the keyboard. */
async function rewrite(from: string, to: string): Promise<void> {
  const text = await editor().innerText();
  expect(text).toContain(from);
  await retypeFile(page, text.replace(from, to));
}

const field = (text: string | RegExp): Locator => page.locator('.remuda-field', { hasText: text });

describe('an authority of the customer (H12)', () => {
  it('is a server: what is missing is said at its field, and form and file are one', async () => {
    await page.getByRole('radio', { name: 'A Vault or OpenBao server' }).check();
    await says('type: server');
    await page.getByRole('button', { name: 'Next' }).click();
    await field(/Address of the server.*is not/s).waitFor();
    await field(/Name of the secret.*does not say where the secret comes from/s).waitFor();
    expect(page.url()).toContain('/cluster');
    await look(page, '90-authority-refused');
    await page.getByLabel('Address of the server').fill('https://vault.dc1.example:8200');
    await page.getByLabel('Name of the secret').fill('dc1-vault');
    await says('url: "https://vault.dc1.example:8200"');
    await says('secretRef: dc1-vault');
    expect(await page.getByRole('textbox', { name: 'Command that gives the secret' }).inputValue()).toBe(
      'remuda secret set dc1-vault --from-file token=FILE',
    );
    await rewrite(
      'url: "https://vault.dc1.example:8200"',
      'url: https://vault.dc2.example\n        mount: pki_k8s',
    );
    await expect.poll(() => page.getByLabel('Path of its PKI engine').inputValue()).toBe('pki_k8s');
    expect(await page.getByLabel('Address of the server').inputValue()).toBe('https://vault.dc2.example');
    await look(page, '91-authority-server');
  });

  it('is one that is given: its secret is named, looked for, and judged with the plan', async () => {
    await page.getByRole('radio', { name: 'An intermediate authority that I give' }).check();
    await page.getByLabel('Name of the secret').fill('own-ca');
    await says('type: given');
    expect(await editor().innerText()).not.toContain('vault');
    await page.getByRole('button', { name: 'Next' }).click();
    await field(/Name of the secret.*own-ca/s).waitFor();
    await look(page, '92-authority-given');
    await api.ask('PUT', '/api/v1/secrets/own-ca', { data: { 'tls.crt': 'nothing', 'tls.key': 'nothing' } });
    // The draft's text is looked at anew when it changes.
    await page.getByLabel('Name of the secret').fill('own-c');
    await page.getByLabel('Name of the secret').fill('own-ca');
    await goOn(page, 'Masters and workers');
    await goOn(page, 'Networks and add-ons');
    await goOn(page, 'Commands of your own');
    await goOn(page, 'Will it work here?');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText(/PKI-0/).first().waitFor();
    await page.getByRole('button', { name: /^Cluster/ }).click();
    await page.getByRole('radio', { name: 'The cluster’s own' }).check();
    await expect.poll(() => editor().innerText()).not.toContain('certificates');
  });
});

describe('etcd on machines of its own (H4)', () => {
  it('is chosen, counted and sized in the form; a number that makes no sense is refused by name', async () => {
    await goOn(page, 'Masters and workers');
    await look(page, '93-etcd-stacked');
    await page.getByRole('radio', { name: 'On machines of its own' }).check();
    await says('topology: external');
    await page.getByRole('group', { name: 'Machines of etcd' }).getByRole('button', { name: '5' }).click();
    await says('replicas: 5');
    await page
      .getByRole('radiogroup', { name: 'Size of a machine of etcd' })
      .getByLabel('CPUs and memory of my own')
      .check();
    await page.getByLabel('Memory', { exact: true }).fill('8Gi');
    await says('memory: 8Gi');
    await page.getByText('Five machines survive the loss of two').waitFor();
    await page.getByText('10 machines in all.').waitFor();
    await look(page, '94-etcd-external');
    await rewrite('replicas: 5', 'replicas: 4');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('An etcd of 4 members survives no more failures than one of 3').waitFor();
    expect(page.url()).toContain('/machines');
    await page.getByRole('group', { name: 'Machines of etcd' }).getByRole('button', { name: '3' }).click();
    await says('replicas: 3');
    await page.getByText('An etcd of 4 members').waitFor({ state: 'detached' });
  });
});

describe('hooks (V10)', () => {
  it('are written in the form, line by line in the file, and what is wrong is said where it is', async () => {
    await goOn(page, 'Networks and add-ons');
    await goOn(page, 'Commands of your own');
    await page.getByRole('button', { name: 'Add a hook' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await field('The script is empty.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('flush');
    const flush = page.getByRole('group', { name: 'Hook flush' });
    await flush
      .getByRole('textbox', { name: 'Script', exact: true })
      .fill('systemctl stop billing-worker\nsync');
    await says('script: |-\n            systemctl stop billing-worker\n            sync');
    await flush.getByLabel('When').selectOption({ label: 'When a machine has joined, before it counts' });
    await says('at: afterBoot');
    await flush.getByLabel('If it fails').selectOption({ label: 'The operation goes on, with a warning' });
    await flush.getByLabel('Longest time').fill('3h');
    await flush.getByLabel('Longest time').blur();
    await field('A hook may take one second to two hours, not 3h.').waitFor();
    await flush.getByLabel('Longest time').fill('10m');
    await flush.getByRole('button', { name: 'Which operations and machines' }).click();
    await flush.getByLabel('Workers', { exact: true }).check();
    await says('roles: [worker]');
    await rewrite('at: afterBoot', 'at: beforeDrain # before its pods go');
    await expect.poll(() => flush.getByLabel('When').inputValue()).toBe('beforeDrain');
    await look(page, '95-hook-script');
  });

  it('are Jobs or signed messages as well', async () => {
    await page.getByRole('button', { name: 'Add a hook' }).click();
    const second = page.getByRole('group', { name: 'Hook hook-2' });
    await second.getByRole('radio', { name: /A Job in the cluster/ }).check();
    await second.getByLabel('Image').fill('registry.dc1.example/tools/smoke:3');
    await second.getByLabel('Command').fill('/bin/smoke\n--only\na, b');
    await says('command: [/bin/smoke, "--only", "a, b"]');
    await look(page, '96-hook-job');
    await second.getByRole('radio', { name: /A signed message/ }).check();
    await second.getByLabel('Address').fill('https://hooks.dc1.example/remuda');
    await second.getByLabel('Name of the secret').fill('hooks');
    await says('url: "https://hooks.dc1.example/remuda"');
    await look(page, '97-hook-webhook');
    await second.getByRole('button', { name: 'Remove hook hook-2' }).click();
    await expect.poll(() => editor().innerText()).not.toContain('hooks.dc1.example');
    await says('# before its pods go');
  });

  it('are for administrators: others see them, and are told whom to ask', async () => {
    const password = 'oscar has a long password';
    await api.ask('POST', '/api/v1/users', { name: 'oscar', role: 'operator', password });
    const oscar = await visit(browser, site.url);
    await oscar.page.goto('/new');
    await signIn(oscar.page, { name: 'oscar', password });
    await oscar.page.getByText('Draft saved').waitFor();
    await oscar.page.goto(oscar.page.url().replace(/supplies$/, 'hooks'));
    await oscar.page.getByText('to write them takes the role admin').waitFor();
    expect(await oscar.page.getByRole('button', { name: 'Add a hook' }).isDisabled()).toBe(true);
    await look(oscar.page, '98-hooks-operator');
    await oscar.context.close();
  });

  it('and machines of etcd are in the plan, and the cluster is made with all of it', async () => {
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
    await goOn(page, 'Will it work here?');
    await page.getByText('All checks passed').waitFor();
    await goOn(page, 'This is what will happen');
    await page.getByRole('region', { name: 'Plan' }).getByText('cluster-1-etcd-3').first().waitFor();
    await look(page, '99-forms-review');
    await page.getByRole('button', { name: 'Make the cluster' }).click();
    await page.waitForURL(/\/run\//);
    await page.getByRole('heading', { name: 'cluster-1 is ready' }).waitFor({ timeout: 90_000 });
    const roles = [...site.fleet.clusters.values()].flatMap(({ machines }) =>
      [...machines.values()].map(({ role }) => role),
    );
    expect(roles.filter((role) => role === 'etcd')).toHaveLength(3);
    expect(site.fleet.violations).toEqual([]);
    expect(maria.faults).toEqual([]);
  });
});
