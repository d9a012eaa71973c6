import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { generateIdentity } from 'age-encryption';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../../daemon/cli/support/bundle.ts';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent, fakeKeys } from '../api/fake-agent.ts';
import { CommandLine } from './command.ts';

const example = readFileSync(
  resolve(import.meta.dirname, '..', '..', '..', 'ui/docs/examples/lab-small.yaml'),
  'utf8',
);
const canary = 'canary-of-the-bundle';

let folder: string;
let daemon: DaemonProcess;
let cli: CommandLine;
let agent: FakeAgent;
let file: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-support-'));
  daemon = await startDaemonProcess(folder);
  cli = new CommandLine();
  file = join(cli.home, 'case.tar.gz');
  agent = await FakeAgent.join(daemon, ({ kind }) =>
    kind.includes('preflight')
      ? {
          state: 'failed',
          hardLimit: false,
          problem: { kind: 'blocked', code: 'HOST-CPU', summary: 'there is one CPU', remedy: 'add one' },
        }
      : undefined,
  );
});
afterEach(async () => {
  agent[Symbol.dispose]();
  await daemon.end('SIGTERM');
  cli[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (words: readonly string[], token: string = daemon.admin) =>
  cli.run(words, { environment: { REMUDA_SERVER: daemon.url, REMUDA_TOKEN: token } });

/** A site with a secret, and a cluster whose first operation failed. */
async function makeTheCase(): Promise<void> {
  const answers = join(cli.home, 'answers.yaml');
  const secret = `apiVersion: remuda.dev/v1alpha1\nkind: Secret\nmetadata: { name: login }\nstringData: { password: ${canary} }\n`;
  writeFileSync(answers, `${example}---\n${secret}`);
  expect((await run(['apply', '-f', answers, '--wait'])).code).toBe(3);
}

/** Path without the first folder → content. */
async function unpack(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const reader = Readable.from([readFileSync(path)])
    .pipe(createGunzip())
    .pipe(extract());
  for await (const entry of reader)
    files.set(entry.header.name.slice(entry.header.name.indexOf('/') + 1), await text(entry));
  return files;
}

test('support: one archive holds what a case needs, says what is in it, and no secret (K10, V12)', async () => {
  await makeTheCase();
  const identity = await generateIdentity();
  const log = join(cli.home, 'agent.log');
  writeFileSync(log, `a line\nsomebody printed ${identity}\nand a Bearer ${'x'.repeat(20)}\n`);
  const { code, out, err } = await run(['support-bundle', '--file', file, '--add', log]);
  expect([code, err]).toEqual([1, expect.stringContaining('not in it: payloads.json')]);
  expect(out).toContain(`${file}: `);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const files = await unpack(file);
  const manifest = JSON.parse(files.get('manifest.json') ?? '') as Manifest;
  expect([...files.keys()].filter((name) => name !== 'manifest.json').sort()).toEqual(
    manifest.files.map(({ path }) => path).sort(),
  );
  for (const { path, sha256 } of manifest.files)
    expect(
      createHash('sha256')
        .update(files.get(path) ?? '')
        .digest('hex'),
    ).toBe(sha256);
  const [operation] = [...files.keys()].flatMap((name) => /^operations\/([^/]+)\/plan/.exec(name)?.[1] ?? []);
  expect([...files.keys()]).toEqual(
    expect.arrayContaining([
      'server.json',
      'agents.json',
      'providers.json',
      'secret-names.json',
      'clusters/lab-small/cluster.json',
      'clusters/lab-small/answer-file.yaml',
      `operations/${operation}/operation.json`,
      `operations/${operation}/log.ndjson`,
      'events.ndjson',
      'audit.ndjson',
      'this-machine.json',
      'findings.txt',
      'added/1-agent.log',
    ]),
  );
  expect(files.get('findings.txt')).toContain('HOST-CPU: there is one CPU');
  expect(files.get('events.ndjson')).toContain('operation.ended');
  expect(files.get('added/1-agent.log')).toBe(
    'a line\nsomebody printed [blacked out]\nand a [blacked out]\n',
  );
  expect(manifest.blackedOut).toBe(2);
  const everything = [...files.values(), out, err].join('\n');
  const secrets = [canary, fakeKeys, identity, daemon.admin, daemon.admin.split('.')[1] ?? ''];
  for (const secret of secrets) expect(everything).not.toContain(secret);
});

test('support: a reader gets what they may read, and is told what is left out', async () => {
  await makeTheCase();
  const drawn = await run(['token', 'create', 'reader', '--role', 'viewer']);
  const large = join(cli.home, 'large.log');
  writeFileSync(large, `${'x'.repeat(99)}\n`.repeat(20_000));
  const { code, err } = await run(
    ['support-bundle', '--file', file, '--add', large, '--max-size', '1'],
    drawn.out.trim(),
  );
  expect(code).toBe(1);
  expect(err).toContain('not in it: audit.ndjson: ');
  expect(err).toContain('not in it: added/1-large.log: the bundle would be too large');
  const files = await unpack(file);
  expect(files.has('audit.ndjson')).toBe(false);
  expect(files.has('clusters/lab-small/cluster.json')).toBe(true);
});

test('support: while the daemon is away, what can be had is kept; a place that cannot be written is said', async () => {
  await daemon.end('SIGTERM');
  const { code, err } = await run(['support-bundle', '--file', file]);
  expect([code, err]).toEqual([1, expect.stringContaining('not in it: everything of the server')]);
  expect([...(await unpack(file)).keys()].sort()).toEqual([
    'findings.txt',
    'manifest.json',
    'this-machine.json',
  ]);
  const nowhere = await run(['support-bundle', '--file', join(cli.home, 'none', 'case.tar.gz')]);
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('CLI-032')]);
  const unread = await run(['support-bundle', '--file', file, '--add', join(cli.home, 'none')]);
  expect([unread.code, unread.err]).toEqual([2, expect.stringContaining('CLI-031')]);
});
