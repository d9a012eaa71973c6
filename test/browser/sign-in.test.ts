import { Secret, TOTP } from 'otpauth';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupNamed, people, reader, type Slapd, startSlapd } from '../integration/directory/slapd.ts';
import { administrator, claim, look, signIn, startChromium, type Visit, visit } from './browser.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';

let site: FleetSite;
let slapd: Slapd;
let browser: Browser;
let maria: Visit;

beforeAll(async () => {
  [site, slapd, browser] = await Promise.all([startFleetSite(), startSlapd(), startChromium()]);
  maria = await visit(browser, site.url);
  await claim(maria.page, site.folder);
});

afterAll(async () => {
  await browser?.close();
  await slapd?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

/** Puts something as the administrator does. */
const put = (path: string, body: unknown): Promise<string> =>
  insecureFetch(`${site.url}/api/v1/${path}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a second factor (issue 3, DESIGN §8)', () => {
  /** As an authenticator has it. */
  let secret: Secret;
  let recoveryCode: string;

  /** Each code works once; one of the next half minute is good already (RFC 6238 §5.2). */
  const code = (stepsAhead = 0): string =>
    new TOTP({ secret }).generate({ timestamp: Date.now() + stepsAhead * 30_000 });

  it('is turned on with a QR code or its text, proven by a first code', async () => {
    const { page } = maria;
    await page.getByRole('button', { name: administrator.name }).click();
    await page.getByRole('menuitem', { name: /Your account/ }).click();
    const factor = page.getByRole('region', { name: 'Second factor' });
    await factor.getByLabel('Present password', { exact: true }).fill(administrator.password);
    await factor.getByRole('button', { name: 'Turn on' }).click();
    await factor.getByRole('img', { name: 'QR code for an authenticator' }).waitFor();
    secret = Secret.fromBase32((await factor.locator('.remuda-key code').textContent()) ?? '');
    await look(page, '61-second-factor');
    await factor.getByLabel('One-time code').fill(code());
    await factor.getByRole('button', { name: 'Confirm' }).click();
    const codes = factor.locator('.remuda-recovery');
    await codes.waitFor();
    [recoveryCode = ''] = (await codes.innerText()).split('\n');
    await look(page, '62-recovery-codes');
    // Whatever drew the code kept to the content security policy.
    expect(maria.faults).toEqual([]);
  });

  it('is asked for at the door: a wrong code is refused, the right one lets in', async () => {
    const { page, context } = await visit(browser, site.url);
    await page.goto('/');
    await signIn(page);
    await page.getByLabel('One-time code').fill('000000');
    await look(page, '06-one-time-code');
    await page.keyboard.press('Enter');
    await page.locator('.remuda-problem').waitFor();
    await page.getByLabel('One-time code').fill(code(1));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Clusters', level: 1 }).waitFor();
    await context.close();
  });

  it('lets in by a recovery code once, when the authenticator is lost', async () => {
    for (const isFirst of [true, false]) {
      const { page, context } = await visit(browser, site.url);
      await page.goto('/');
      await signIn(page);
      await page.getByLabel('One-time code').fill(recoveryCode);
      await page.keyboard.press('Enter');
      const answer = isFirst
        ? page.getByRole('heading', { name: 'Clusters', level: 1 })
        : page.locator('.remuda-problem');
      await answer.waitFor();
      await context.close();
    }
  });
});

describe('people of a directory (E1)', () => {
  it('choose it at the door, have the role of their groups, and no password here', async () => {
    const [[name, password]] = people;
    const { server, authority } = slapd.config();
    await put('secrets/corp-reader', { data: { password: reader.password } });
    await put('directories/corp', {
      title: 'Example Corp',
      server,
      authority,
      account: { dn: reader.dn, secretRef: 'corp-reader' },
      people: { base: 'ou=people,dc=corp,dc=example' },
      groups: { base: 'ou=groups,dc=corp,dc=example' },
      roles: [{ group: groupNamed('platform'), role: 'operator' }],
    });
    const { page, context, faults } = await visit(browser, site.url);
    await page.goto('/account');
    await page.getByLabel('Who knows you').selectOption({ label: 'Example Corp' });
    await look(page, '07-sign-in-directory');
    await signIn(page, { name, password: 'not her password' });
    await page.locator('.remuda-problem').waitFor();
    await signIn(page, { name, password });
    await page.getByRole('heading', { name: 'Where you are signed in' }).waitFor();
    expect(await page.getByRole('region', { name: 'Password' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Clusters', exact: true }).click();
    await page.getByRole('button', { name: 'New cluster' }).waitFor();
    expect(await page.getByRole('button', { name: 'New cluster' }).isEnabled()).toBe(true);
    expect(faults).toEqual([]);
    await context.close();
    await maria.page.goto('/administration/people');
    await maria.page.getByRole('row', { name: /alice.*corp.*operator/ }).waitFor();
  });
});
