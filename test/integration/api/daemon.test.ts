import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRequest } from '../../../daemon/cli/certificate-request.ts';
import { type DaemonProcess, runDaemon, startDaemonProcess } from './daemon-process.ts';
import { ask } from './http.ts';

let folder: string;
let daemon: DaemonProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-daemon-'));
  daemon = await startDaemonProcess(folder);
});
afterAll(async () => {
  await daemon.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const post = (path: string, body: unknown, token: string | undefined = daemon.admin) =>
  ask(daemon.url + path, daemon.authority, { method: 'POST', token, body: JSON.stringify(body) });

/** A fake agent that only enrols: enough for secrets to be sealed to somebody. */
async function enrolFakeAgent(): Promise<{ key: string; cert: string; secret: string; recipient: string }> {
  const drawn = (await post('/api/v1/agents/local/token', {})).json as { readonly token: string };
  const secret = drawn.token.split('.').at(-1) ?? '';
  const { key, request } = await createRequest();
  const recipient = await identityToRecipient(await generateIdentity());
  const answer = await post(
    '/api/v1/agents/enrol',
    { secret, request, recipient, release: '0.0.0' },
    undefined,
  );
  expect(answer.status).toBe(201);
  const { certificate } = answer.json as { readonly certificate: string };
  return { key, cert: certificate, secret, recipient };
}

describe('first start', () => {
  test('token, recovery key and CA key are readable by their owner only', () => {
    for (const file of [
      'admin-token',
      'recovery-key',
      'authority/ca.key',
      'authority/server.key',
      'state.db',
    ])
      expect([file, statSync(join(folder, file)).mode & 0o077]).toEqual([file, 0]);
    expect(statSync(folder).mode & 0o077).toBe(0);
    expect(readFileSync(join(folder, 'recovery-key'), 'utf8')).toContain('AGE-SECRET-KEY-');
    expect(daemon.output()).not.toContain('AGE-SECRET-KEY-');
    expect(daemon.output()).not.toContain(daemon.admin.split('.').at(-1));
  });

  test('a second daemon on the same state is refused and harms nothing', async () => {
    const { code, output } = await runDaemon(['--state', folder, '--listen', '127.0.0.1:0', '--allow-root']);
    expect([code, output]).toEqual([1, expect.stringContaining('STATE-001')]);
    expect((await ask(`${daemon.url}/readyz`, daemon.authority)).status).toBe(200);
  });

  test.runIf(process.getuid?.() === 0)('it refuses to run as root', async () => {
    const { code, output } = await runDaemon(['--state', folder]);
    expect([code, output]).toEqual([2, expect.stringContaining('START-002')]);
  });

  test.each([[[]], [['--state', '/tmp/x', '--allow-root', '--listen', 'nonsense']]])(
    'it refuses %j',
    async (words) => {
      expect((await runDaemon(words)).code).toBe(2);
    },
  );
});

describe('an agent enrols (bad input 4: strangers, replayed tokens, older epochs)', () => {
  test('once; then the token is worth nothing, and nothing of the state changes', async () => {
    const agent = await enrolFakeAgent();
    const { request } = await createRequest();
    const { recipient } = agent;
    const again = await post(
      '/api/v1/agents/enrol',
      { secret: agent.secret, request, recipient, release: '0' },
      undefined,
    );
    const unknown = await post(
      '/api/v1/agents/enrol',
      { secret: 'x'.repeat(43), request, recipient, release: '0' },
      undefined,
    );
    expect([again.status, unknown.status]).toEqual([unknown.status, unknown.status]);
    expect(again.status).toBeGreaterThanOrEqual(400);
    const malformed = await post(
      '/api/v1/agents/enrol',
      { secret: 'x', request: 'no request', recipient, release: '0' },
      undefined,
    );
    expect(malformed.status).toBeGreaterThanOrEqual(400);
  });

  test('renews by its certificate; a replaced one does not', async () => {
    const listed = (await ask(`${daemon.url}/api/v1/agents`, daemon.authority, { token: daemon.admin })).json;
    expect(listed).toMatchObject({ items: [{ site: 'local', epoch: 1 }] });
    const replaced = await post('/api/v1/agents/local/token', { replace: true });
    expect(replaced.status).toBe(201);
    const { token } = replaced.json as { readonly token: string };
    const { key, request } = await createRequest();
    const recipient = await identityToRecipient(await generateIdentity());
    const enrolled = await post(
      '/api/v1/agents/enrol',
      { secret: token.split('.').at(-1), request, recipient, release: '0' },
      undefined,
    );
    const { certificate, epoch } = enrolled.json as { readonly certificate: string; readonly epoch: number };
    expect(epoch).toBeGreaterThan(1);
    const renew = (certificateOf: { readonly key: string; readonly cert: string } | undefined) =>
      ask(`${daemon.url}/api/v1/agents/renew`, daemon.authority, {
        method: 'POST',
        body: JSON.stringify({ request }),
        ...(certificateOf === undefined ? {} : { certificate: certificateOf }),
      });
    const renewed = await renew({ key, cert: certificate });
    expect(renewed.status).toBe(201);
    expect((await renew(undefined)).status).toBe(401);
    await post('/api/v1/agents/local/token', { replace: true });
    expect((await renew({ key, cert: certificate })).status).toBe(401);
  });
});

describe('canary: a secret is nowhere but sealed', () => {
  test('not in an answer, the log, the state, the audit, the events', async () => {
    const canary = 'canary-7f3a9c-never-to-be-seen';
    const { token } = (await post('/api/v1/agents/local/token', { replace: true })).json as {
      readonly token: string;
    };
    const { request } = await createRequest();
    const recipient = await identityToRecipient(await generateIdentity());
    await post(
      '/api/v1/agents/enrol',
      { secret: token.split('.').at(-1), request, recipient, release: '0' },
      undefined,
    );
    const kept = await ask(`${daemon.url}/api/v1/secrets/dc1`, daemon.authority, {
      method: 'PUT',
      token: daemon.admin,
      body: JSON.stringify({ data: { password: canary } }),
    });
    expect(kept.status).toBe(200);
    const inFile = `apiVersion: remuda.dev/v1alpha1\nkind: Secret\nmetadata: { name: dc2 }\nstringData: { password: ${canary} }\n`;
    const broken = `${inFile}  wrong: [${canary}\n---\nkind: Nonsense\n`;
    const answers = [kept.text];
    for (const path of ['validate', 'plans', 'apply'])
      for (const text of [inFile, broken])
        answers.push((await post(`/api/v1/${path}`, { text, file: 'a.yaml' })).text);
    answers.push(
      (await post('/api/v1/apply', { text: inFile, [canary]: canary })).text.replaceAll(
        /Unrecognized key[^"]*"[^"]*"/g,
        '',
      ),
    );
    for (const path of ['secrets', 'events', 'audit', 'operations'])
      answers.push(
        (await ask(`${daemon.url}/api/v1/${path}`, daemon.authority, { token: daemon.admin })).text,
      );
    for (const text of answers) expect(text).not.toContain(canary);
    expect(daemon.output()).not.toContain(canary);
    for (const file of filesBelow(folder))
      expect([file, readFileSync(file).includes(canary)]).toEqual([file, false]);
    expect(readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8')).not.toContain(canary);
  });
});

describe('stop and start', () => {
  test('SIGTERM ends it cleanly; token, agents and audit chain are there again', async () => {
    const { port } = new URL(daemon.url);
    expect(await daemon.end('SIGTERM')).toBe(0);
    daemon = await startDaemonProcess(folder, { port: Number(port) });
    expect(daemon.output()).not.toContain('did not stop cleanly');
    const listed = await ask(`${daemon.url}/api/v1/audit?limit=5`, daemon.authority, { token: daemon.admin });
    expect((listed.json as { readonly items: readonly unknown[] }).items).toHaveLength(5);
  });

  test('after kill -9 it starts by itself on the same state', async () => {
    await daemon.end('SIGKILL');
    daemon = await startDaemonProcess(folder);
    expect(daemon.output()).toContain('did not stop cleanly');
    expect((await ask(`${daemon.url}/readyz`, daemon.authority)).status).toBe(200);
  });
});

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
