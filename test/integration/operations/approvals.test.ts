import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../appliance/agent/protocol/dispatch.ts';
import type { OperationDetail } from '../../../daemon/api/types.ts';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { CommandLine } from '../cli/command.ts';

/*
 * Approvals by more than one, with the real daemon and command line; only the agent is a fake.
 */
const example = readFileSync(
  resolve(import.meta.dirname, '..', '..', '..', 'ui/docs/examples/lab-small.yaml'),
  'utf8',
);
const failed: Outcome = {
  state: 'failed',
  hardLimit: false,
  problem: { kind: 'blocked', code: 'HOST-CPU', summary: 'one CPU', remedy: 'add one' },
};
let folder: string;
let daemon: DaemonProcess;
let cli: CommandLine;
let agent: FakeAgent;
let outcome: Outcome | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-approvals-'));
  daemon = await startDaemonProcess(folder);
  cli = new CommandLine();
  outcome = failed;
  agent = await FakeAgent.join(daemon, () => outcome);
});
afterEach(async () => {
  agent[Symbol.dispose]();
  await daemon.end('SIGTERM');
  cli[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (words: readonly string[], token = daemon.admin) =>
  cli.run(words, { environment: { REMUDA_SERVER: daemon.url, REMUDA_TOKEN: token } });
const newest = async (): Promise<OperationDetail> => {
  const { out } = await run(['get', 'operations', '-o', 'json']);
  const [first] = (JSON.parse(out) as { items: OperationDetail[] }).items;
  if (first === undefined) throw new Error('there is no operation');
  return first;
};

describe('spec.maintenance.approvals, through daemon and command line (V9)', () => {
  test('a deletion waits for the second principal, over kill -9; nobody counts twice; what was done is in the audit trail', async () => {
    const path = join(folder, 'lab.yaml');
    writeFileSync(path, `${example.trimEnd()}\n  maintenance: { approvals: 2 }\n`);
    const create = await run(['apply', '-f', path, '--wait']);
    expect(create.code, create.err).toBe(3);
    const deletion = await run(['delete', 'lab-small', '--confirm', 'lab-small']);
    expect([deletion.code, deletion.err]).toEqual([7, expect.stringContaining('1 is missing')]);
    const { id, kind, agreement } = await newest();
    expect([kind, agreement?.missing, agreement?.agreed.length]).toEqual(['delete', 1, 1]);
    const dispatched = agent.dispatched.length;
    const ports = { port: Number(new URL(daemon.url).port), linkPort: daemon.linkPort };
    await daemon.end('SIGKILL');
    daemon = await startDaemonProcess(folder, ports);
    const twice = await run(['operation', 'approve', id, '--confirm', 'lab-small']);
    expect([twice.code, twice.err]).toEqual([8, expect.stringContaining('OPS-017')]);
    const viewer = (await run(['token', 'create', 'looker', '--role', 'viewer'])).out.trim();
    expect((await run(['operation', 'approve', id, '--confirm', 'lab-small'], viewer)).code).not.toBe(0);
    expect(agent.dispatched.length).toBe(dispatched);
    const second = (await run(['token', 'create', 'second', '--role', 'operator'])).out.trim();
    outcome = undefined;
    const agreed = await run(['operation', 'approve', id, '--confirm', 'lab-small'], second);
    expect(agreed.code, agreed.err).toBe(0);
    await expect.poll(() => agent.dispatched.length).toBeGreaterThan(dispatched);
    // Working outside the windows is an administrator's to allow.
    const override = ['operation', 'override-window', id, '--confirm', 'lab-small'];
    expect((await run(override, second)).code).not.toBe(0);
    expect((await run(override)).code).toBe(0);
    const audit = (await run(['audit', 'list', '-o', 'json'])).out;
    expect(audit).toContain('token:second');
    expect(audit).toContain('override');
  });
});
