import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** The wizard as scripts/wizard built it last; the daemon serves it. */
export const builtWizard = resolve(import.meta.dirname, '../../ui/wizard/dist');

const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A site to visit. */
export interface VisitedSite {
  readonly url: string;
  /** Folder of the daemon's state, where the set-up code is. */
  readonly folder: string;
}

/** A person with a browser, signed in as the first administrator. */
export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors that the page threw or wrote to its console. */
  readonly errors: string[];
}

/** Starts Debian's Chromium. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });

/** Claims the site with its set-up code and opens a page; nothing is shown yet. */
export async function visit(
  browser: Browser,
  site: VisitedSite,
  look: { readonly colorScheme?: 'light' | 'dark'; readonly width?: number; readonly height?: number } = {},
): Promise<Visitor> {
  const { colorScheme = 'light', width = 1440, height = 900 } = look;
  const context = await browser.newContext({
    baseURL: site.url,
    ignoreHTTPSErrors: true,
    colorScheme,
    viewport: { width, height },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  // A busy machine may take long over 200,000 lines; what never comes is a defect all the same.
  context.setDefaultTimeout(100_000);
  await signIn(context, site);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { context, page, errors, [Symbol.asyncDispose]: () => context.close() };
}

const password = 'correct horse battery staple';

async function signIn(context: BrowserContext, { url, folder }: VisitedSite): Promise<void> {
  const codeFile = join(folder, 'setup-code');
  const headers = { Origin: url };
  const answer = existsSync(codeFile)
    ? await context.request.post('/api/v1/door/claim', {
        headers,
        data: { code: readFileSync(codeFile, 'utf8').trim(), name: 'ada', password },
      })
    : await context.request.post('/api/v1/session', { headers, data: { name: 'ada', password } });
  if (!answer.ok()) throw new Error(`the door stayed shut: ${answer.status()} ${await answer.text()}`);
}
