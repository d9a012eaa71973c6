import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { ask } from './http.ts';

const example = resolve(import.meta.dirname, '../../../ui/docs/examples/lab-ha.yaml');
let folder: string;
let daemon: DaemonProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-bypass-'));
  daemon = await startDaemonProcess(folder);
});
afterAll(async () => {
  await daemon.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['preflight', 'HOST-PORTS', 'PLAN-013'],
  ['apply', 'HOST-SWPA', 'PLAN-014'],
  ['apply', 'NET-VIP', 'PLAN-013'],
])('POST /%s with a bypass of %s is refused before anybody looks (%s)', async (path, id, code) => {
  const body = JSON.stringify({ text: readFileSync(example, 'utf8'), file: 'lab-ha.yaml', bypass: [id] });
  const answer = await ask(`${daemon.url}/api/v1/${path}`, daemon.authority, {
    method: 'POST',
    token: daemon.admin,
    body,
  });
  expect(answer).toMatchObject({ status: 422, json: { problems: [{ code, value: id }] } });
});
