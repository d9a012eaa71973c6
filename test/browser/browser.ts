import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** Nothing is fetched, updated or reported by the browser itself. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Folder for screenshots of all pages; absent = none are taken. */
const sheet = process.env['REMUDA_CONTACT_SHEET'];
const taken = new Set<string>();

/** Longest wait for one thing on a page, milliseconds. */
const patience = 15_000;

/** Starts Debian's Chromium with a new profile. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });

/** A person at a browser of her own. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: errors thrown, and breaches of the content security policy. */
  readonly faults: string[];
}

/** Opens a browser window at a site. */
export async function visit(
  browser: Browser,
  url: string,
  window: { readonly width?: number; readonly height?: number } = {},
): Promise<Visit> {
  const { width = 1280, height = 800 } = window;
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    viewport: { width, height },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  // A page that has not answered by then has a defect; the whole test need not wait for the default half minute.
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Minified React|Warning:/.test(message.text())) faults.push(message.text());
  });
  return { context, page, faults };
}

/** Looks at the page as it stands in light and dark: no axe violation in either, and a picture for the contact sheet. */
export async function look(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await isDrawn(page, colorScheme);
    let found = await violationsOf(page);
    // What the page was just drawing anew is no violation; what is one is still there at the third look.
    for (let looks = 1; found.length > 0 && looks < 3; looks += 1) {
      await isDrawn(page, colorScheme);
      found = await violationsOf(page);
    }
    expect(found, `axe on ${name}, ${colorScheme}`).toEqual([]);
    await takePicture(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** What axe has against the page as it is drawn now, a line each. */
async function violationsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} (${failureSummary ?? ''})`).join(' | ')}`,
  );
}

/** Waits until the page has taken the scheme over and drawn it, and nothing in it moves. */
async function isDrawn(page: Page, scheme: 'light' | 'dark'): Promise<void> {
  await page.waitForFunction(
    (isDark) => document.documentElement.classList.contains('pf-v6-theme-dark') === isDark,
    scheme === 'dark',
  );
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(undefined)))),
  );
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(
        ({ playState, effect }) => playState !== 'running' || effect?.getTiming().iterations === Infinity,
      ),
  );
}

/** A picture for the contact sheet, when one is wanted. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (sheet === undefined) return;
  mkdirSync(sheet, { recursive: true });
  const { width = 0 } = page.viewportSize() ?? {};
  const file = `${name}-${width}.png`;
  await page.screenshot({ path: join(sheet, file) });
  taken.add(file);
  const pictures = [...taken].map(
    (each) => `<figure><img src="${each}"><figcaption>${each}</figcaption></figure>`,
  );
  const style =
    'body{display:grid;grid-template-columns:repeat(auto-fill,minmax(40rem,1fr));gap:1rem}img{width:100%}';
  writeFileSync(join(sheet, 'index.html'), `<!doctype html><style>${style}</style>${pictures.join('\n')}`);
}

/** Leaves a step of the wizard for the next one, known by its heading. */
export async function goOn(page: Page, heading: string): Promise<void> {
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('heading', { name: heading, level: 2 }).waitFor();
}

/** Puts another text into the wizard's editor, as the clipboard does: lines of its own, and no key pressed. */
export async function retypeFile(page: Page, text: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: 'Answer file' });
  await editor.focus();
  await page.keyboard.press('Control+A');
  await editor.evaluate(
    (element, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', pasted);
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    },
    text.replaceAll('\n\n', '\n'),
  );
}

/** The name and the password of the administrator of a test. */
export const administrator = { name: 'maria', password: 'correct horse battery staple' } as const;

/** Sets the site up, as its first visitor does. */
export async function claim(page: Page, folder: string): Promise<void> {
  await page.goto('/');
  await page.getByLabel('Set-up code').fill(readFileSync(join(folder, 'setup-code'), 'utf8').trim());
  await page.getByLabel('Your name').fill(administrator.name);
  await page.getByLabel('Password', { exact: true }).fill(administrator.password);
  await page.getByRole('button', { name: 'Set up and sign in' }).click();
  await page.getByRole('heading', { name: 'Clusters', level: 1 }).waitFor();
}

/** Signs in at the door that is shown. */
export async function signIn(
  page: Page,
  who: { readonly name: string; readonly password: string } = administrator,
): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(who.name);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
