import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { generateIdentity } from 'age-encryption';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { open } from '../../../appliance/agent/sealing.ts';
import type { SealedStore } from '../../../daemon/api/types.ts';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent, fakeKeys } from '../api/fake-agent.ts';
import { ask } from '../api/http.ts';
import { CommandLine } from './command.ts';

const example = resolve(import.meta.dirname, '..', '..', '..', 'ui/docs/examples/lab-small.yaml');
const canary = 'canary-of-the-user-secret';

let folder: string;
let daemon: DaemonProcess;
let cli: CommandLine;
const agents: FakeAgent[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-reseal-'));
  daemon = await startDaemonProcess(folder);
  cli = new CommandLine();
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent[Symbol.dispose]();
  await daemon.end('SIGTERM');
  cli[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const printed: string[] = [];
async function run(words: readonly string[], input = '') {
  const environment = { REMUDA_SERVER: daemon.url, REMUDA_TOKEN: daemon.admin };
  const result = await cli.run(words, { environment, input });
  printed.push(result.out, result.err);
  return result;
}

/** An agent whose steps are never through. */
async function enter(token?: string): Promise<FakeAgent> {
  const agent = await FakeAgent.join(daemon, () => undefined, token);
  agents.push(agent);
  return agent;
}

async function sealed(): Promise<SealedStore> {
  const answer = await ask(`${daemon.url}/api/v1/agents/local/sealed`, daemon.authority, {
    token: daemon.admin,
  });
  expect(answer.status).toBe(200);
  return answer.json as SealedStore;
}

const recoveryKey = (): string => readFileSync(join(folder, 'recovery-key'), 'utf8');

/** A site with a secret and a cluster under way, whose agent is then replaced. */
async function replaceTheAgent(): Promise<{ readonly old: FakeAgent; readonly young: FakeAgent }> {
  const old = await enter();
  expect((await run(['secret', 'set', 'login', '--stdin', 'password'], canary)).code).toBe(0);
  expect((await run(['apply', '-f', example])).code).toBe(0);
  const drawn = await run(['agent', 'token', 'local', '--replace']);
  expect(drawn.err).toContain('remuda agent reseal local --recovery-key-file FILE');
  return { old, young: await enter(drawn.out.trim()) };
}

test('K8: after an agent was replaced, the recovery key opens its secrets for the new one, on the machine of who holds it', async () => {
  const { old, young } = await replaceTheAgent();
  const before = await sealed();
  expect(before).toMatchObject({ site: 'local', agent: young.recipient });
  expect(before.items.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
    'secret/login',
    'cluster-keys/lab-small',
  ]);
  for (const item of before.items)
    await expect(young.open(item.sealed)).rejects.toMatchObject({ report: { code: 'SECRET-012' } });

  const { code, out, err } = await run(['agent', 'reseal', 'local'], recoveryKey());
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe(
    `Sealed to the agent of site local (${young.recipient}) and the recovery key: 1 secret and the keys of 1 cluster.\n`,
  );

  const after = await sealed();
  const identity = /AGE-SECRET-KEY-1\S+/.exec(recoveryKey())?.[0] ?? '';
  const plain = [JSON.stringify({ password: canary }), fakeKeys];
  for (const [index, item] of after.items.entries()) {
    expect(await young.open(item.sealed)).toBe(plain[index]);
    expect(await open(identity, item.sealed, 'it')).toBe(plain[index]);
    await expect(old.open(item.sealed)).rejects.toThrow('cannot open');
  }
});

test('steps that wait for keys which the new agent cannot open are sent again with those that it can', async () => {
  const { young } = await replaceTheAgent();
  await expect.poll(() => young.dispatched.length, { timeout: 60_000 }).toBeGreaterThan(0);
  const keysOf = (index: number): string => young.dispatched.at(index)?.context.keys ?? '';
  await expect(young.open(keysOf(0))).rejects.toThrow('cannot open');
  const sent = young.dispatched.length;
  expect((await run(['agent', 'reseal', 'local'], recoveryKey())).code).toBe(0);
  await expect.poll(() => young.dispatched.length, { timeout: 60_000 }).toBeGreaterThan(sent);
  expect(await young.open(keysOf(-1))).toBe(fakeKeys);
});

test('a wrong key, another agent and a text that is no key change nothing and are never quoted', async () => {
  const { young } = await replaceTheAgent();
  const before = await sealed();
  const stranger = await generateIdentity();
  const keyFile = join(cli.home, 'key');
  writeFileSync(keyFile, stranger);
  const answers = [
    await run(['agent', 'reseal', 'local', '--recovery-key-file', keyFile]),
    await run(['agent', 'reseal', 'local'], `AGE-SECRET-KEY-1${canary}`),
    await run(['agent', 'reseal', 'local', '--recovery-key-file', join(cli.home, 'none')]),
    await run(['agent', 'reseal', 'local', '--recipient', `${young.recipient}x`], recoveryKey()),
    await run(['agent', 'reseal', 'elsewhere'], recoveryKey()),
  ];
  expect(answers.map(({ code, err }) => [code, /[A-Z]+-\d{3}/.exec(err)?.[0]])).toEqual([
    [2, 'CLI-028'],
    [2, 'CLI-025'],
    [2, 'CLI-027'],
    [2, 'CLI-029'],
    [1, 'OPS-007'],
  ]);
  expect(answers.some(({ out, err }) => (out + err).includes(stranger))).toBe(false);
  expect(await sealed()).toEqual(before);
  const named = await run(['agent', 'reseal', 'local', '--recipient', young.recipient], recoveryKey());
  expect([named.code, named.err]).toEqual([0, '']);
});

test('a secret sealed by nobody known is named, the rest is done; what was given anew meanwhile stays', async () => {
  await replaceTheAgent();
  const put = (items: readonly object[]) =>
    ask(`${daemon.url}/api/v1/agents/local/sealed`, daemon.authority, {
      method: 'PUT',
      token: daemon.admin,
      body: JSON.stringify({ items }),
    });
  const [secret] = (await sealed()).items;
  const broken = { kind: 'secret', name: 'login', sealed: '-----BEGIN AGE ENCRYPTED FILE-----\nno\n' };
  const stale = await put([{ ...broken, digest: `sha256:${'0'.repeat(64)}` }]);
  expect([stale.status, stale.json]).toEqual([200, { resealed: 0, changedSince: ['login'] }]);
  expect((await put([{ ...broken, digest: secret?.digest, sealed: 'plain text' }])).status).toBe(400);
  await put([{ ...broken, digest: secret?.digest }]);
  const { code, out, err } = await run(['agent', 'reseal', 'local'], recoveryKey());
  expect([code, err]).toEqual([1, expect.stringContaining('CLI-030')]);
  expect(err).toContain('remuda secret set login');
  expect(out).toContain('(1 of 2 now)');
});

test('K8: the canaries and the recovery key are in no output, log, file or audit row; both doors are audited', async () => {
  await replaceTheAgent();
  expect((await run(['agent', 'reseal', 'local'], recoveryKey())).code).toBe(0);
  const audit = await ask(`${daemon.url}/api/v1/audit`, daemon.authority, { token: daemon.admin });
  const { items } = audit.json as { readonly items: readonly { readonly verb: string }[] };
  expect(items.map(({ verb }) => verb)).toEqual(expect.arrayContaining(['agent.sealed', 'agent.reseal']));
  await daemon.end('SIGTERM');
  const identity = /AGE-SECRET-KEY-1\S+/.exec(recoveryKey())?.[0] ?? 'none';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'recovery-key' && statSync(join(folder, name)).isFile())
    .map((name) => readFileSync(join(folder, name)));
  expect(files.length).toBeGreaterThan(3);
  for (const secret of [canary, fakeKeys, identity]) {
    for (const file of files) expect(file.includes(secret)).toBe(false);
    expect([...printed, daemon.output(), JSON.stringify(audit.json)].join('\n')).not.toContain(secret);
  }
});
