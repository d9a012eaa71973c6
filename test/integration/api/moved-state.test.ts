import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRequest } from '../../../daemon/cli/certificate-request.ts';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { ask } from './http.ts';

let folder: string;
let daemon: DaemonProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-moved-'));
});
afterEach(async () => {
  await daemon?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const get = async (at: DaemonProcess, path: string, token = at.admin): Promise<unknown> => {
  const { status, json } = await ask(`${at.url}/api/v1/${path}`, at.authority, { token });
  return { status, json };
};

test('E5: the state is one folder: carried to another place, a daemon that knows nothing else goes on with it', async () => {
  const [disk, other] = [join(folder, 'disk'), join(folder, 'elsewhere', 'disk')];
  const first = await startDaemonProcess(disk);
  daemon = first;
  const send = (path: string, method: string, body: unknown, token: string | undefined) =>
    ask(`${first.url}/api/v1/${path}`, first.authority, { method, token, body: JSON.stringify(body) });
  const drawn = (await send('agents/local/token', 'POST', {}, first.admin)).json as {
    readonly token: string;
  };
  const { request } = await createRequest();
  const recipient = await identityToRecipient(await generateIdentity());
  const enrolment = { secret: drawn.token.split('.').at(-1), request, recipient, release: '0.0.0' };
  expect((await send('agents/enrol', 'POST', enrolment, undefined)).status).toBe(201);
  expect((await send('secrets/dc1', 'PUT', { data: { password: 'x' } }, first.admin)).status).toBe(200);
  const paths = ['secrets', 'agents', 'clusters', 'operations'];
  const before = await Promise.all(paths.map((path) => get(first, path)));
  expect(JSON.stringify(before)).toContain('dc1');

  // The box dies; its disk is attached to another one.
  await first.end('SIGKILL');
  cpSync(disk, other, { recursive: true });
  rmSync(disk, { recursive: true });
  const second = await startDaemonProcess(other);
  daemon = second;
  expect([second.admin, second.authority]).toEqual([first.admin, first.authority]);
  expect(await Promise.all(paths.map((path) => get(second, path)))).toEqual(before);
  expect(await get(second, 'audit/verification')).toMatchObject({
    status: 200,
    json: { isWhole: true, rows: 3 },
  });
  expect(existsSync(disk)).toBe(false);
});
