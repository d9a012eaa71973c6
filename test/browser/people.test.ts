import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, claim, look, signIn, startChromium, type Visit, visit } from './browser.ts';
import { type FleetSite, startFleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';

let site: FleetSite;
let browser: Browser;
let maria: Visit;
let asAdministrator: Record<string, string>;

beforeAll(async () => {
  [site, browser] = await Promise.all([startFleetSite(), startChromium()]);
  asAdministrator = { Authorization: `Bearer ${site.token}`, 'Content-Type': 'application/json' };
  maria = await visit(browser, site.url);
  await claim(maria.page, site.folder);
});

afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** Makes somebody with a password, as an administrator does. */
async function addPerson(
  name: string,
  role: string,
): Promise<{ readonly name: string; readonly password: string }> {
  const password = `${name} has a long password`;
  await insecureFetch(`${site.url}/api/v1/users`, {
    method: 'POST',
    headers: asAdministrator,
    body: JSON.stringify({ name, role, password }),
  });
  return { name, password };
}

/** Waits until the page that is about to open has its live connection: socket.io acknowledges with packets `43`. */
const isFollowing = async (page: Page): Promise<unknown> =>
  (await page.waitForEvent('websocket')).waitForEvent('framereceived', ({ payload }) =>
    String(payload).startsWith('43'),
  );

describe('what one may not do (issue 3)', () => {
  it('is disabled for a viewer and names the role it needs', async () => {
    const { page, context } = await visit(browser, site.url);
    await page.goto('/');
    await signIn(page, await addPerson('victor', 'viewer'));
    await page.getByRole('heading', { name: 'No clusters yet' }).waitFor();
    expect(await page.getByRole('button', { name: 'New cluster' }).isDisabled()).toBe(true);
    await page.getByRole('note', { name: 'Needs the role operator' }).focus();
    await page.getByRole('tooltip', { name: /Needs the role operator/ }).waitFor();
    await look(page, '04-viewer');
    await context.close();
  });

  it('is hidden from somebody to whom nothing was given', async () => {
    const { page, context } = await visit(browser, site.url);
    await page.goto('/clusters/prod-east');
    await signIn(page, await addPerson('uma', 'user'));
    await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
    await look(page, '05-nothing-here');
    await context.close();
  });
});

describe('two people at one draft (issue 3)', () => {
  it('asks before one writes over the other, and keeps what is chosen', async () => {
    const { page } = maria;
    await page.getByRole('button', { name: 'New cluster' }).click();
    await page.getByText('Draft saved').waitFor();
    const other = await visit(browser, site.url);
    await other.page.goto(page.url());
    await signIn(other.page);
    await other.page.getByRole('heading', { name: 'What is on board' }).waitFor();
    // Also the step is saved, a moment later: were that still to come, the other would take over what maria writes.
    const isStepSaved = other.page.waitForResponse(
      (response) =>
        response.ok() &&
        response.request().method() === 'PUT' &&
        (response.request().postData() ?? '').includes('"step":"cluster"'),
    );
    for (const { page: each } of [maria, other]) {
      await each.getByRole('button', { name: 'Next' }).click();
      await each.getByRole('button', { name: 'Next' }).click();
      await each.getByRole('heading', { name: 'Name and version' }).waitFor();
    }
    await isStepSaved;
    await page.getByLabel('Name', { exact: true }).fill('from-maria');
    await page.getByText('Draft saved').waitFor();
    await other.page.getByLabel('Name', { exact: true }).fill('from-elsewhere');
    await other.page.getByText('Somebody else has changed this draft').waitFor();
    await look(other.page, '19-conflict');
    await other.page.getByRole('button', { name: 'Take their version' }).click();
    await expect.poll(() => other.page.getByLabel('Name', { exact: true }).inputValue()).toBe('from-maria');
    await other.context.close();
  });

  it('loses nothing while the connection is away, and says so', async () => {
    const { page, context } = maria;
    await context.setOffline(true);
    await page.getByLabel('Name', { exact: true }).fill('typed-offline');
    await page.getByText('Kept in this browser').waitFor();
    await context.setOffline(false);
    await page.reload();
    await page.getByLabel('Name', { exact: true }).waitFor();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('typed-offline');
    await page.getByText('Draft saved').waitFor();
  });

  it('discards a draft only when asked twice', async () => {
    const { page } = maria;
    await page.getByRole('button', { name: 'Discard draft' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard draft' }).click();
    await page.getByRole('heading', { name: 'No clusters yet' }).waitFor();
    await page.getByRole('heading', { name: 'Drafts' }).waitFor({ state: 'detached' });
  });
});

describe('two people at one shared draft (issue 3)', () => {
  it('see at once who else has it open, and when she leaves', async () => {
    const draft = 'a-shared-draft';
    const text = readFileSync(resolve(import.meta.dirname, '../../ui/docs/examples/lab-small.yaml'), 'utf8');
    await insecureFetch(`${site.url}/api/v1/drafts/${draft}`, {
      method: 'PUT',
      headers: { ...asAdministrator, 'If-Match': '"0"' },
      body: JSON.stringify({ title: 'lab-small', text, step: 'supplies', isShared: true }),
    });
    const { page } = maria;
    const [asked] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/presence')),
      isFollowing(page),
      page.goto(`/create/${draft}/supplies`),
    ]);
    expect(asked.status()).toBe(200);
    // From now on she learns of others over the live connection alone.
    await page.route('**/presence', (route) => route.abort());
    const olga = await visit(browser, site.url);
    await olga.page.goto(`/create/${draft}/supplies`);
    await signIn(olga.page, await addPerson('olga', 'operator'));
    await page.getByText(/olga/).waitFor();
    await look(page, '19-others-here');
    await olga.page.getByRole('link', { name: 'Clusters', exact: true }).click();
    await page.getByText(/olga/).waitFor({ state: 'detached' });
    await olga.context.close();
    await page.unroute('**/presence');
    await page.goto('/');
  });
});

describe('about oneself (issue 3)', () => {
  it('shows where one is signed in, and asks for the password before a second factor is turned on', async () => {
    const { page } = maria;
    await page.getByRole('button', { name: 'maria' }).click();
    await page.getByRole('menuitem', { name: /Your account/ }).click();
    await page.getByText('This one').waitFor();
    await look(page, '60-account');
    const factor = page.getByRole('region', { name: 'Second factor' });
    await factor.getByLabel('Present password', { exact: true }).fill('not it');
    await factor.getByRole('button', { name: 'Turn on' }).click();
    await factor.locator('.remuda-problem').waitFor();
    await factor.getByLabel('Present password', { exact: true }).fill(administrator.password);
    await factor.getByRole('button', { name: 'Turn on' }).click();
    await factor.getByLabel('One-time code').waitFor();
  });
});

describe('by keyboard alone (issue 3)', () => {
  it('goes from the door to the second step of a new cluster without a mouse', async () => {
    const { page, context } = await visit(browser, site.url);
    await page.goto('/');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // The first field gets the focus by itself.
    await page.getByLabel('Name', { exact: true }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type(administrator.name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(administrator.password);
    await page.keyboard.press('Enter');
    const create = page.getByRole('button', { name: 'New cluster' });
    await create.waitFor();
    const isFocused = (): Promise<boolean> =>
      create.evaluate((element) => element === document.activeElement);
    for (let presses = 0; presses < 20 && !(await isFocused()); presses += 1)
      await page.keyboard.press('Tab');
    expect(await isFocused()).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What is on board' }).waitFor();
    const next = page.getByRole('button', { name: 'Next' });
    const onNext = (): Promise<boolean> => next.evaluate((element) => element === document.activeElement);
    for (let presses = 0; presses < 20 && !(await onNext()); presses += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Where the machines come from' }).waitFor();
    // On arrival the heading has the focus: reading and tabbing begin at the top of the step.
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toBe('Where the machines come from');
    await context.close();
  });
});

describe('every size of window (issue 3: 1024×768 to 4K)', () => {
  it.each([
    { width: 1024, height: 768 },
    { width: 2560, height: 1440 },
    { width: 3840, height: 2160 },
  ])('holds its layout at $width×$height', async ({ width, height }) => {
    const { page, context } = await visit(browser, site.url, { width, height });
    await page.goto('/new');
    await signIn(page);
    for (const heading of [
      'What is on board',
      'Where the machines come from',
      'Name and version',
      'Masters and workers',
    ]) {
      await page.getByRole('heading', { name: heading }).waitFor();
      // Nothing is wider than the window, and the way on is always in sight.
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      await page.getByRole('button', { name: 'Next' }).click();
    }
    await page.getByRole('button', { name: 'YAML', exact: true }).click();
    await page.getByRole('textbox', { name: 'Answer file' }).waitFor();
    await look(page, '50-yaml');
    await context.close();
  });
});
