import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeBrowser, goodPassword } from '../api/fake-browser.ts';
import { startSyslog } from '../audit/receivers.ts';
import { CommandLine } from '../cli/command.ts';
import { groupNamed, people, reader, type Slapd, startSlapd } from './slapd.ts';

/*
 * Daemon, agent, command line and slapd as real processes: what crosses the link, and what is left of it on the disks.
 */
const root = resolve(import.meta.dirname, '..', '..', '..');
const [alice, bob] = [people[0], people[1]];
let folder: string;
let slapd: Slapd;
let daemon: DaemonProcess;
let cli: CommandLine;
let agent: ChildProcess;
let agentLog = '';

const run = (...words: readonly string[]) =>
  cli.run(words, { environment: { REMUDA_SERVER: daemon.url, REMUDA_TOKEN: daemon.admin } });
async function well(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await run(...words);
  expect([words.join(' '), code, err]).toEqual([words.join(' '), 0, expect.anything()]);
  return out;
}
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const browser = () => new FakeBrowser({ url: daemon.url, certificate: daemon.authority });
const signIn = (name: string, password: string) => browser().signIn(name, password, { directory: 'corp' });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-directory-'));
  for (const name of ['daemon', 'agent']) mkdirSync(join(folder, name), { mode: 0o700 });
  slapd = await startSlapd();
  daemon = await startDaemonProcess(join(folder, 'daemon'));
  cli = new CommandLine();
  const enrolment = file('enrolment', await well('agent', 'token', 'local'));
  agent = spawn(
    process.execPath,
    [
      join(root, 'appliance/agent/main.ts'),
      '--test-allow-loopback',
      '--state',
      join(folder, 'agent'),
      '--cache',
      join(folder, 'cache'),
      '--server',
      daemon.url,
      '--enrol-file',
      enrolment,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, REMUDA_LOG_LEVEL: 'trace' } },
  );
  for (const stream of [agent.stdout, agent.stderr])
    stream?.on('data', (chunk: Buffer) => {
      agentLog += chunk.toString('utf8');
    });
  await vi.waitFor(async () => expect((await run('get', 'agents')).out).toContain('connected'), {
    timeout: 60_000,
    interval: 500,
  });
});
afterAll(async () => {
  if (agent !== undefined && agent.exitCode === null) {
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }
  await daemon?.end('SIGKILL');
  await slapd?.[Symbol.asyncDispose]();
  cli?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('E1: people of a directory, from the command that sets it up to the session', () => {
  test('set up by the command line, tested, and chosen at the door', async () => {
    const password = file('password', reader.password);
    file('ca.pem', slapd.authority);
    await well('secret', 'set', 'corp-reader', '--from-file', `password=${password}`);
    const settings = file(
      'corp.yaml',
      [
        'title: Corp',
        `server: ldap://127.0.0.1:${slapd.plainPort}`,
        'authorityFile: ca.pem',
        `account: { dn: "${reader.dn}", secretRef: corp-reader }`,
        'people: { base: "ou=people,dc=corp,dc=example" }',
        'groups: { base: "ou=groups,dc=corp,dc=example" }',
        `roles: [{ group: "${groupNamed('company')}", role: viewer }, { group: "${groupNamed('platform')}", role: operator }]`,
      ].join('\n'),
    );
    await well('directory', 'set', 'corp', '-f', settings);
    expect(await well('directory', 'test', 'corp')).toContain('people can sign in');
    expect((await browser().get('/api/v1/door')).json).toMatchObject({
      directories: [{ name: 'corp', title: 'Corp' }],
    });
    expect(await well('directory', 'list')).toContain('ldap://127.0.0.1');
    const removed = await run('secret', 'remove', 'corp-reader');
    expect([removed.code, removed.err]).toEqual([8, expect.stringContaining('SECRET-003')]);
  });

  test('groups, also those in groups, are roles; wrong and empty passwords are refused alike', async () => {
    const answer = await signIn('ALICE', alice[1]);
    expect([answer.status, answer.json]).toEqual([
      200,
      expect.objectContaining({
        principal: expect.objectContaining({ id: 'user:alice@corp', role: 'operator', source: 'directory' }),
      }),
    ]);
    expect((await signIn('bob', bob[1])).json).toMatchObject({ principal: { role: 'viewer' } });
    for (const [name, password] of [
      ['alice', 'wrong'],
      ['alice', ''],
      ['*', alice[1]],
      ['star*name', people[2][1]],
    ] as const) {
      const refused = await signIn(name, password);
      expect([name, refused.status >= 400 && refused.status < 500]).toEqual([name, true]);
    }
  });

  test('the audit trail goes to a receiver over the link, with the sign-ins in it', async () => {
    await using server = await startSyslog();
    await well(
      'audit',
      'receiver',
      'set',
      'siem',
      '-f',
      file('siem.yaml', `type: syslog\nserver: tcp://127.0.0.1:${server.port}\n`),
    );
    await vi.waitFor(() => expect(server.messages.join('\n')).toContain('user:alice@corp'), {
      timeout: 30_000,
    });
    expect(await well('audit', 'verify')).toContain('the chain is whole');
    const [, head = ''] = /head (\d+:[0-9a-f]{64})/.exec(await well('audit', 'verify')) ?? [];
    expect(await well('audit', 'verify', '--against', head)).toContain('holds that row');
    const other = await run('audit', 'verify', '--against', `1:${'0'.repeat(64)}`);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('CLI-042')]);
    await well('audit', 'receiver', 'remove', 'siem');
  });

  test('away: answered with a reason, and the local administrator signs in all the same', async () => {
    const code = readFileSync(join(folder, 'daemon', 'setup-code'), 'utf8').trim();
    const owner = browser();
    expect(
      (await owner.send('POST', '/api/v1/door/claim', { code, name: 'root', password: goodPassword })).status,
    ).toBe(201);
    await slapd.stop();
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(await signIn('alice', alice[1]));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(answers.at(-1)?.text).toContain('DIRECTORY-033');
    // In the browser that she used before: tries of others at the same address do not hold her up.
    expect((await owner.signIn('root')).status).toBe(200);
    const check = await run('directory', 'test', 'corp');
    expect([check.code, check.err]).toEqual([1, expect.stringContaining('OUTGOING-003')]);
  });

  test('no password of anybody is in a log or a file of daemon and agent', () => {
    const files = ['daemon', 'agent'].flatMap((name) =>
      readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
    );
    expect(files.length).toBeGreaterThan(5);
    const texts = [daemon.output(), agentLog, ...files];
    expect(texts.join('\n')).not.toContain('canary-pw');
    expect(agentLog).toContain('linked to the daemon');
  });
});
