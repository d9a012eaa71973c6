/**
 * A house of 200 clusters (DESIGN §9: ready < 2 s after a clean stop, idle < 150 MB; issue 3, proof 5: list and cluster
 * pages fast), measured at a real daemon, on a state in which the real engine, planner and store lived through a year
 * ({@link liveThroughYear}): the time from the start of the process to "ready"; answers of the API as a person's browser
 * asks for them, one after another on one connection; the two pages in Chromium from the click to the last row, with the
 * longest task of the page's main thread; resident memory when nobody has asked for ten seconds. REMUDA_STATE names a
 * folder to keep the year in, so that the next run has it at once. Prints; asserts nothing.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser, visit } from '../browser/visitor.ts';
import { type DaemonProcess, startDaemonProcess } from '../integration/api/daemon-process.ts';
import { costText, traced } from './browser-tasks.ts';
import { quantile, row, say } from './table.ts';
import { liveThroughYear } from './year-of-clusters.ts';

const starts = 5;
/** Answers that are measured of each question, and those before that only warm up. */
const samples = 100;
const warm = 20;
const idleFor = 10_000;

const questions = {
  'list of clusters': '/api/v1/clusters?limit=1000',
  'machines of all clusters, first page': '/api/v1/machines?limit=1000',
  'one cluster': '/api/v1/clusters/team-100',
  'operations of one cluster': '/api/v1/operations?cluster=team-100&limit=200',
  'operations of all clusters, first page': '/api/v1/operations?limit=100',
  'events of one cluster': '/api/v1/events?cluster=team-100&limit=5000',
} as const;

async function measureStarts(folder: string): Promise<void> {
  const time = async (signal: NodeJS.Signals): Promise<number> => {
    const from = performance.now();
    const daemon = await startDaemonProcess(folder);
    const took = performance.now() - from;
    await daemon.end(signal);
    return took;
  };
  // The first start also makes the site's CA and the compile cache; the one after a kill checks the whole file.
  await time('SIGTERM');
  const times: number[] = [];
  for (let run = 0; run < starts; run += 1)
    times.push(await time(run === starts - 1 ? 'SIGKILL' : 'SIGTERM'));
  const unclean = await time('SIGTERM');
  const [median, longest] = [quantile(times, 0.5), quantile(times, 1)].map((each) =>
    (each / 1000).toFixed(2),
  );
  row(
    'daemon ready, 200 clusters in state, after a clean stop',
    `${median} s in the median of ${starts}, longest ${longest} s (${(unclean / 1000).toFixed(2)} s after kill -9)`,
    '< 2 s',
  );
}

interface Answered {
  readonly milliseconds: number;
  readonly bytes: number;
}

function ask(daemon: DaemonProcess, agent: Agent, path: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const headers = { Authorization: `Bearer ${daemon.admin}` };
    const one = request(new URL(path, daemon.url), { agent, ca: daemon.authority, headers }, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => (bytes += part.length));
      response.once('end', () => {
        if (response.statusCode === 200) resolve({ milliseconds: performance.now() - from, bytes });
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    });
    one.once('error', reject);
    one.end();
  });
}

async function measureAnswers(daemon: DaemonProcess): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const [what, path] of Object.entries(questions)) {
    say(`asking ${samples} times for ${path}`);
    const answers: Answered[] = [];
    for (let index = 0; index < warm + samples; index += 1) answers.push(await ask(daemon, agent, path));
    const times = answers.slice(warm).map(({ milliseconds }) => milliseconds);
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)].map((each) => each.toFixed(1));
    const size = Math.round((answers.at(-1)?.bytes ?? 0) / 1000);
    row(`API, 200 clusters: ${what}`, `p50 ${p50} ms, p99 ${p99} ms; ${size} kB`);
  }
  agent.destroy();
}

async function measurePages(daemon: DaemonProcess, folder: string): Promise<void> {
  const browser = await startBrowser();
  try {
    await using visitor = await visit(browser, { url: daemon.url, folder });
    const { page } = visitor;
    await page.goto('/account');
    await page.getByRole('heading', { level: 1 }).waitFor();
    const last = page.getByRole('link', { name: 'team-200', exact: true });
    const listed = await traced(browser, page, async () => {
      await page.goto('/clusters');
      await last.waitFor();
      await page.getByRole('row', { name: /team-200 .*of 11 ready/ }).waitFor();
    });
    row(
      'page: list of 200 clusters, opened anew to the last row with its machines',
      costText(listed),
      'no task over 50 ms',
    );
    const opened = await traced(browser, page, async () => {
      await page.getByRole('link', { name: 'team-100', exact: true }).click();
      await page.getByRole('heading', { name: 'team-100', level: 1 }).waitFor();
      await page.getByRole('tab', { name: 'Overview', selected: true }).waitFor();
    });
    row('page: one cluster, from the click', costText(opened), 'no task over 50 ms');
    for (const [tab, rows] of [
      ['Machines', 11],
      ['Operations', 13],
      ['Events', 200],
    ] as const) {
      const shown = await traced(browser, page, async () => {
        await page.getByRole('tab', { name: tab }).click();
        await page
          .locator('tbody tr')
          .nth(rows - 1)
          .waitFor();
      });
      row(`page: its tab ${tab}, ${rows} rows`, costText(shown), 'no task over 50 ms');
    }
    const back = await traced(browser, page, async () => {
      await page.getByRole('link', { name: 'Clusters' }).first().click();
      await last.waitFor();
    });
    row('page: back to the list', costText(back), 'no task over 50 ms');
  } finally {
    await browser.close();
  }
}

async function measureMemory(daemon: DaemonProcess, when: string): Promise<void> {
  say(`waiting ${idleFor / 1000} s for the daemon to be idle`);
  await sleep(idleFor);
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
  row(
    `memory of the idle daemon, 200 clusters in state, ${when}`,
    `${Math.round(Number(kilobytes) / 1024)} MB`,
    '< 150 MB',
  );
}

async function withDaemon(folder: string, act: (daemon: DaemonProcess) => Promise<void>): Promise<void> {
  const daemon = await startDaemonProcess(folder);
  try {
    await act(daemon);
  } finally {
    await daemon.end('SIGTERM');
  }
}

/** The state to measure at: a copy of the kept one, so that no run changes what the next one finds. */
async function prepare(folder: string): Promise<void> {
  const kept = process.env['REMUDA_STATE'];
  if (kept !== undefined && existsSync(join(kept, 'state.db'))) {
    say(`taking the year in ${kept}`);
    cpSync(kept, folder, { recursive: true });
    return;
  }
  say('a year of 200 clusters is being lived through (a minute on two quiet cores)');
  say(JSON.stringify(await liveThroughYear(folder)));
  if (kept !== undefined) cpSync(folder, kept, { recursive: true });
}

const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-clusters-'));
try {
  await prepare(folder);
  say('starting the daemon seven times');
  await measureStarts(folder);
  await withDaemon(folder, (daemon) => measureMemory(daemon, 'after its start'));
  await withDaemon(folder, async (daemon) => {
    await measureAnswers(daemon);
    await measurePages(daemon, folder);
    await measureMemory(daemon, 'after all of these questions');
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
