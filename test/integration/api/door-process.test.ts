import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { codeOf, FakeBrowser, goodPassword } from './fake-browser.ts';
import { ask } from './http.ts';

let folder: string;
let daemon: DaemonProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-door-'));
  daemon = await startDaemonProcess(folder);
});
afterEach(async () => {
  await daemon.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const newBrowser = (): FakeBrowser => new FakeBrowser({ url: daemon.url, certificate: daemon.authority });

test('a real daemon is claimed with the code of its file; the session outlives kill -9, the code does not', async () => {
  const file = join(folder, 'setup-code');
  const code = readFileSync(file, 'utf8').trim();
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(daemon.output()).not.toContain(code);
  const alice = newBrowser();
  const claim = { code, name: 'alice', password: goodPassword };
  expect((await alice.send('POST', '/api/v1/door/claim', claim)).status).toBe(201);
  const port = Number(new URL(daemon.url).port);
  await daemon.end('SIGKILL');
  daemon = await startDaemonProcess(folder, { port, linkPort: daemon.linkPort });
  expect((await alice.get('/api/v1/session')).json).toMatchObject({ principal: { id: 'user:alice' } });
  expect(existsSync(file)).toBe(false);
  expect(codeOf(await newBrowser().send('POST', '/api/v1/door/claim', claim))).toBe('ACCESS-010');
  expect((await newBrowser().signIn('alice')).status).toBe(200);
  expect(daemon.output()).not.toContain(goodPassword);
});

test('whoever is root on the server gets the only administrator in again, without shutting her out', async () => {
  const code = readFileSync(join(folder, 'setup-code'), 'utf8');
  const claim = { code, name: 'alice', password: goodPassword };
  await newBrowser().send('POST', '/api/v1/door/claim', claim);
  const invited = await ask(`${daemon.url}/api/v1/users/alice`, daemon.authority, {
    method: 'PUT',
    token: daemon.admin,
    body: JSON.stringify({ invite: true }),
  });
  const { invitation } = invited.json as { readonly invitation: { readonly code: string } };
  expect((await newBrowser().signIn('alice')).status).toBe(200);
  const anew = newBrowser();
  const password = `${goodPassword} anew`;
  await anew.send('POST', '/api/v1/door/invitation', { code: invitation.code, password });
  expect((await anew.get('/api/v1/users')).status).toBe(200);
  expect((await newBrowser().signIn('alice')).status).toBe(401);
});
