import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, look, signIn, startChromium, type Visit, visit } from './browser.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';

const example = readFileSync(
  resolve(import.meta.dirname, '../../ui/docs/examples/lab-small.yaml'),
  'utf8',
).replaceAll('lab-small', 'prod-east');

let site: FleetSite;
let browser: Browser;
let maria: Visit;
let page: Page;
/** Made by an invitation in the first test. */
let ina: Visit;
const inasPassword = 'ina keeps a long sentence';

beforeAll(async () => {
  [site, browser] = await Promise.all([startFleetSite(), startChromium()]);
  maria = await visit(browser, site.url);
  page = maria.page;
  await claim(page, site.folder);
});

afterAll(async () => {
  expect(maria?.faults).toEqual([]);
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** Asks the API with a token, by default the administrator's. */
const ask = (method: string, path: string, body?: unknown, token = site.token): Promise<string> =>
  insecureFetch(`${site.url}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const part = async (name: string): Promise<void> => {
  await page.getByRole('tab', { name, exact: true }).click();
  await page.getByRole('tab', { name, selected: true, exact: true }).waitFor();
};

/** Opens the menu of a person and chooses something. */
async function choose(person: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `What can be done about ${person}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

const dialog = () => page.getByRole('dialog');

describe('people (issue 3, DESIGN §8)', () => {
  it('invites somebody, who chooses her own password at the door', async () => {
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.getByRole('heading', { name: 'Administration', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Add a person' }).click();
    await dialog().getByLabel('Name', { exact: true }).fill('ina');
    await look(page, '70-add-person');
    await page.keyboard.press('Enter');
    const shown = dialog().getByRole('textbox', { name: 'Invitation for ina' });
    await shown.waitFor();
    const code = await shown.inputValue();
    await look(page, '71-invitation');
    await dialog().getByRole('button', { name: 'Done' }).click();
    await page.getByText('Invited', { exact: true }).waitFor();
    ina = await visit(browser, site.url);
    await ina.page.goto('/');
    await ina.page.getByRole('button', { name: 'I have an invitation' }).click();
    await ina.page.getByLabel('Invitation code').fill(code);
    await ina.page.getByLabel('Password', { exact: true }).fill(inasPassword);
    await look(ina.page, '72-accept-invitation');
    await ina.page.keyboard.press('Enter');
    await ina.page.getByRole('heading', { name: 'No clusters yet' }).waitFor();
  });

  it('says why the last administrator can be neither demoted nor removed', async () => {
    await page.reload();
    await page.getByRole('button', { name: 'What can be done about maria' }).click();
    for (const action of ['Change the role', 'Disable', 'Remove']) {
      const item = page.getByRole('menuitem', { name: action });
      expect(await item.getAttribute('aria-disabled')).toBe('true');
    }
    await page.getByText('The last administrator who can sign in').first().waitFor();
    await look(page, '73-last-administrator');
    await page.keyboard.press('Escape');
  });

  it('changes a role, disables and enables; sessions end at once', async () => {
    await choose('ina', 'Change the role');
    await dialog().getByLabel('Role').selectOption('operator');
    await look(page, '74-change-role');
    await dialog().getByRole('button', { name: 'Change the role' }).click();
    await page.getByRole('row', { name: /ina/ }).getByText('operator').waitFor();
    await ina.page.goto('/');
    await signIn(ina.page, { name: 'ina', password: inasPassword });
    await ina.page.getByRole('heading', { name: 'No clusters yet' }).waitFor();
    await choose('ina', 'Disable');
    await dialog().getByRole('button', { name: 'Disable' }).click();
    await page.getByText('Disabled', { exact: true }).waitFor();
    await look(page, '75-people');
    await ina.page.goto('/');
    await ina.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await choose('ina', 'Enable');
    await dialog().getByRole('button', { name: 'Enable' }).click();
    await page.getByText('Disabled', { exact: true }).waitFor({ state: 'detached' });
    await signIn(ina.page, { name: 'ina', password: inasPassword });
    await ina.page.getByRole('heading', { name: 'No clusters yet' }).waitFor();
  });

  it('shows others only what they may read, and hides the rest (issue 3)', async () => {
    await ina.page.getByRole('link', { name: 'Administration' }).click();
    await ina.page.getByRole('tab', { name: 'Policies' }).waitFor();
    expect(await ina.page.getByRole('tab').count()).toBe(1);
    await ina.page.goto('/administration/people');
    await ina.page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
  });
});

describe('service accounts (issue 3)', () => {
  it('makes a token that is shown once, works, and is refused when it is revoked', async () => {
    await part('Service accounts');
    await page.getByRole('button', { name: 'Add a service account' }).click();
    await dialog().getByLabel('Name', { exact: true }).fill('ci');
    await dialog().getByRole('button', { name: 'Add a service account' }).click();
    await page.getByRole('button', { name: 'ci Details', exact: true }).click();
    await page.getByText('No valid token').waitFor();
    await page.getByRole('button', { name: 'New token…' }).click();
    await dialog().getByLabel('Name', { exact: true }).fill('ci-pipeline');
    await dialog().getByLabel('It may only read').check();
    await look(page, '77-new-token');
    await dialog().getByRole('button', { name: 'Make the token' }).click();
    const shown = dialog().getByRole('textbox', { name: 'ci-pipeline' });
    await shown.waitFor();
    const token = await shown.inputValue();
    await look(page, '78-token');
    expect(await ask('GET', 'clusters', undefined, token)).toContain('items');
    await dialog().getByRole('button', { name: 'Done' }).click();
    await page.getByRole('gridcell', { name: 'reading only' }).waitFor();
    await look(page, '79-service-accounts');
    await page.getByRole('button', { name: 'Revoke ci-pipeline' }).click();
    await page.getByText('No valid token').waitFor();
    await expect(ask('GET', 'clusters', undefined, token)).rejects.toThrow(': 401');
  });
});

describe('who can get into a cluster (issue 3)', () => {
  it('gives a role in it, changes it and takes it away', async () => {
    await ask('POST', 'apply', { text: example, file: 'prod-east.yaml' });
    await page.goto('/clusters/prod-east/access');
    await page.getByRole('button', { name: 'Give a role…' }).click();
    await dialog().getByLabel('For').selectOption('service');
    await dialog().getByLabel('Name', { exact: true }).fill('nobody');
    await dialog().getByRole('button', { name: 'Give the role' }).click();
    await dialog().locator('.remuda-problem').waitFor();
    await look(page, '80-give-role');
    await dialog().getByLabel('Name', { exact: true }).fill('ci');
    await dialog().getByRole('button', { name: 'Give the role' }).click();
    await page.getByRole('button', { name: 'Change the role of ci…' }).click();
    await dialog().getByLabel('Role').selectOption('operator');
    await dialog().getByRole('button', { name: 'Change the role' }).click();
    await page.getByRole('row', { name: /ci.*operator.*a grant here/ }).waitFor();
    await look(page, '81-access');
    await page.getByRole('button', { name: 'Take away the role of ci…' }).click();
    await dialog().getByRole('button', { name: 'Take the role away' }).click();
    await page.getByText('a grant here').waitFor({ state: 'detached' });
  });

  it('lets those who may not give roles see them, and names the role it needs', async () => {
    await ina.page.goto('/clusters/prod-east/access');
    const give = ina.page.getByRole('button', { name: 'Give a role…' });
    await give.waitFor();
    expect(await give.isDisabled()).toBe(true);
    await ina.page.getByRole('note', { name: /Needs the role admin in prod-east/ }).waitFor();
  });
});

describe('what is read only (issue 3)', () => {
  it('shows policies with their expressions and what they say of the clusters', async () => {
    await page.goto('/administration/policies');
    await page.getByText('object.spec.controlPlane.replicas').first().waitFor();
    await page.getByText('breaks it').first().waitFor();
    await look(page, '82-policies');
  });

  it('shows the audit trail in pages, newest first, and that it is whole', async () => {
    for (let times = 0; times < 60; times += 1) await ask('DELETE', 'users/ina/sessions');
    await ask('PUT', 'audit/receivers/siem', { type: 'syslog', server: 'tls://siem.corp.example:6514' });
    const { head } = JSON.parse(await ask('GET', 'audit/verification')) as { head: { number: number } };
    const range = (first: number, last: number): string => `Rows ${first} to ${last} of ${head.number}`;
    await part('Audit');
    await page.getByText('The trail is whole').waitFor();
    await page.getByText(range(head.number - 49, head.number)).waitFor();
    await page.getByRole('gridcell', { name: String(head.number), exact: true }).waitFor();
    await page.getByRole('gridcell', { name: 'siem', exact: true }).waitFor();
    await look(page, '83-audit');
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText(range(Math.max(1, head.number - 99), head.number - 50)).waitFor();
    await page.getByRole('gridcell', { name: String(head.number - 50), exact: true }).waitFor();
    await page.getByRole('button', { name: 'Newer' }).click();
    await page.getByText(range(head.number - 49, head.number)).waitFor();
  });

  it('says how a directory is set, and tests the connection of one', async () => {
    await part('Directories');
    await page.getByText('No directory is set').waitFor();
    await look(page, '84-no-directory');
    await ask('PUT', 'secrets/corp-reader', { data: { password: 'not a real one' } });
    await ask('PUT', 'directories/corp', {
      title: 'Example Corp',
      // Nobody listens there.
      server: 'ldaps://127.0.0.1:1',
      authority: '-----BEGIN CERTIFICATE-----\nno authority\n-----END CERTIFICATE-----\n',
      account: { dn: 'cn=reader,dc=corp,dc=example', secretRef: 'corp-reader' },
      people: { base: 'ou=people,dc=corp,dc=example' },
      groups: { base: 'ou=groups,dc=corp,dc=example' },
      roles: [{ group: 'cn=platform,ou=groups,dc=corp,dc=example', role: 'operator' }],
    });
    await page.reload();
    await page.getByRole('button', { name: 'Test the connection to Example Corp' }).click();
    await page.locator('.remuda-problem').waitFor();
    await look(page, '85-directories');
  });

  it('holds its layout at 1024×768, and goes from part to part by keyboard (issue 3)', async () => {
    await page.setViewportSize({ width: 1024, height: 768 });
    await page.goto('/administration');
    await page.getByRole('gridcell', { name: 'This Remuda' }).first().waitFor();
    await look(page, '86-people');
    await page.getByRole('tab', { name: 'People' }).focus();
    for (const name of ['Service accounts', 'Directories', 'Policies', 'Audit']) {
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name, selected: true, exact: true }).waitFor();
      // Nothing is wider than the window.
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    }
    // One of them is a stop of Tab; the ends are one key away, and the arrows go round.
    const focused = (): Promise<string | null> =>
      page.evaluate(() => document.activeElement?.textContent ?? null);
    expect(await page.locator('[role=tab][tabindex="0"]').allInnerTexts()).toEqual(['Audit']);
    for (const [key, name] of [
      ['ArrowRight', 'People'],
      ['ArrowLeft', 'Audit'],
      ['Home', 'People'],
      ['End', 'Audit'],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(focused).toBe(name);
    }
    await page.getByText('The trail is whole').waitFor();
    await page.getByRole('heading', { name: 'Rows' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await page.goto('/clusters/prod-east/access');
    await page.getByRole('heading', { name: 'Who can get in' }).waitFor();
    await look(page, '87-access');
  });
});
