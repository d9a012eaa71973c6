import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHookPort } from '../../../appliance/agent/adapters/hooks.ts';
import type { HookMessage } from '../../../provisioners/contract/hooks.ts';
import { type HookServer, startHook } from '../audit/receivers.ts';
import { loopbackCertificate } from '../payload/certificate.ts';

/*
 * What the agent sends for a hook to a real https server on loopback, and the receiver of the manual, which must know
 * it for what it is.
 */
type Headers = Readonly<Record<string, string | string[] | undefined>>;
interface Receiver {
  isFromRemuda(headers: Headers, body: string, key: string): boolean;
  receive(headers: Headers, body: string, key: string, act: (message: unknown) => void): number;
}
const example = resolve(import.meta.dirname, '../../../ui/docs/examples/hook-receiver.mjs');
const receiver = (await import(example)) as Receiver;

const signingKey = 'whsec_c2lnbmluZy1jYW5hcnk=';
let server: HookServer;
let authority: string;

beforeEach(async () => {
  const certificate = await loopbackCertificate();
  authority = certificate.certificate;
  server = await startHook(certificate);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const message = (more: Partial<HookMessage> = {}): HookMessage => ({
  url: `https://127.0.0.1:${server.port}/hooks?team=a`,
  authority,
  id: 'hook_0123456789abcdef',
  body: JSON.stringify({ type: 'hook.beforeDrain', data: { hook: 'flush', machine: 'demo-general-1' } }),
  signingKey,
  timeout: 5000,
  ...more,
});

const send = (given: HookMessage, isLoopbackAllowed = true): Promise<void> => {
  const units = {
    newest: () => Promise.reject(new Error('a webhook touches no machine')),
    run: () => Promise.reject(new Error('a webhook touches no machine')),
  };
  const { signal } = new AbortController();
  return createHookPort({ units, reach: { isLoopbackAllowed }, signal: () => signal }).send(given);
};

const only = () => {
  const [request] = server.got;
  if (request === undefined) throw new Error('nothing came');
  return request;
};

test('a signed message comes whole, and the receiver of the manual knows it (V10)', async () => {
  await send(message());
  const { path, headers, body } = only();
  expect(path).toBe('/hooks?team=a');
  expect(receiver.isFromRemuda(headers, body, signingKey)).toBe(true);
  expect(receiver.isFromRemuda(headers, body, 'another key')).toBe(false);
  expect(receiver.isFromRemuda(headers, body.replace('flush', 'other'), signingKey)).toBe(false);
  const old = { ...headers, 'webhook-timestamp': '1600000000' };
  expect(receiver.isFromRemuda(old, body, signingKey)).toBe(false);
});

test('what is sent again is the same message: it is acted on once', async () => {
  server.status = 503;
  await expect(send(message())).rejects.toMatchObject({ report: { kind: 'transient', code: 'HOOK-004' } });
  server.status = 204;
  await send(message());
  await send(message());
  const acted: unknown[] = [];
  const answers = server.got.map(({ headers, body }) =>
    receiver.receive(headers, body, signingKey, (received) => acted.push(received)),
  );
  expect(answers).toEqual([204, 204, 204]);
  expect(acted).toHaveLength(1);
});

test.each<[string, Partial<HookMessage>, string, boolean]>([
  ['the machine of the agent itself', {}, 'OUTGOING-002', false],
  ['http', { url: 'http://127.0.0.1/hooks' }, 'HOOK-003', true],
  ['a password in the address', { url: 'https://me:canary@127.0.0.1/hooks' }, 'HOOK-003', true],
])('%s is refused, and no secret is repeated', async (_what, more, code, isLoopbackAllowed) => {
  const refused = await send(message(more), isLoopbackAllowed).catch((error: unknown) => error);
  expect(refused).toMatchObject({ report: { kind: 'user', code } });
  expect(JSON.stringify(refused)).not.toMatch(/canary|whsec/);
  expect(server.got).toEqual([]);
});

test('a server that cannot prove its name is told nothing', async () => {
  const other = (await loopbackCertificate()).certificate;
  await expect(send(message({ authority: other }))).rejects.toMatchObject({
    report: { code: 'OUTGOING-004' },
  });
  expect(server.got).toEqual([]);
});

test('the manual shows the receiver as it is tested here', () => {
  const page = readFileSync(resolve(example, '../../hooks.md'), 'utf8');
  expect(page).toContain(readFileSync(example, 'utf8').trim());
});
