import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApplyAnswer, PlanAnswer } from '../../../daemon/api/types.ts';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { ask } from '../api/http.ts';
import { CommandLine } from './command.ts';

/*
 * Command line, API, engine and planner together, as real processes; only the agent is a fake.
 */
const example = resolve(import.meta.dirname, '..', '..', '..', 'ui/docs/examples/lab-small.yaml');
const text = readFileSync(example, 'utf8');
let folder: string;
let daemon: DaemonProcess;
let cli: CommandLine;
let agent: FakeAgent | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-way-'));
  daemon = await startDaemonProcess(folder);
  cli = new CommandLine();
});
afterEach(async () => {
  agent?.[Symbol.dispose]();
  agent = undefined;
  await daemon.end('SIGTERM');
  cli[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const environment = () => ({ REMUDA_SERVER: daemon.url, REMUDA_TOKEN: daemon.admin });
const run = (words: readonly string[], during?: (output: string, interrupt: () => void) => void) =>
  cli.run(words, { environment: environment(), ...(during ? { during } : {}) });
const apply = (headers: Readonly<Record<string, string>>, changes: object = {}) =>
  ask(`${daemon.url}/api/v1/apply`, daemon.authority, {
    method: 'POST',
    token: daemon.admin,
    body: JSON.stringify({ text, file: 'lab.yaml', ...changes }),
    headers,
  });
const running = () => undefined;

describe('the same request twice, and at the wrong time', () => {
  test('a repeat with the same key gets the same answer and starts nothing; a stale revision is 412', async () => {
    agent = await FakeAgent.join(daemon, running);
    const [one, two] = [await apply({ 'Idempotency-Key': 'k1' }), await apply({ 'Idempotency-Key': 'k1' })];
    const idOf = (json: unknown) => (json as ApplyAnswer).operations.map((operation) => operation.id);
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(idOf(two.json)).toEqual(idOf(one.json));
    expect((await apply({ 'If-Match': '"0"' })).status).toBe(412);
    const listed = await run(['get', 'operations', '-o', 'json']);
    expect((JSON.parse(listed.out) as { readonly items: readonly unknown[] }).items).toHaveLength(1);
  });

  test('the reviewed plan is run, another hash is refused with 8', async () => {
    agent = await FakeAgent.join(daemon, running);
    const wrong = await run(['apply', '-f', example, '--plan', `sha256:${'0'.repeat(64)}`]);
    expect([wrong.code, (await run(['get', 'clusters', '-o', 'json'])).out]).toEqual([
      8,
      '{\n  "items": []\n}\n',
    ]);
    const plan = JSON.parse((await run(['plan', '-f', example, '-o', 'json'])).out) as PlanAnswer;
    const right = await run(['apply', '-f', example, '--plan', plan.hash]);
    expect([right.code, right.out]).toEqual([
      0,
      expect.stringContaining('Creating cluster lab-small: operation '),
    ]);
  });
});

test('get cluster -o yaml is applied again, and asks for the same (DESIGN §3)', async () => {
  agent = await FakeAgent.join(daemon, running);
  const printed = join(folder, 'printed.yaml');
  expect((await run(['apply', '-f', example])).code).toBe(0);
  writeFileSync(printed, (await run(['get', 'cluster', 'lab-small', '-o', 'yaml'])).out);
  expect(await run(['validate', '-f', printed])).toMatchObject({ code: 0, err: '' });
  const again = await run(['apply', '-f', printed, '-o', 'json']);
  const { operations } = JSON.parse(again.out) as ApplyAnswer;
  expect([again.code, operations.map(({ revision }) => revision)]).toEqual([0, [1]]);
});

test('a reviewed plan holds its bypass: with it the hash is run, without it refused', async () => {
  agent = await FakeAgent.join(daemon, running);
  const planned = ['plan', '-f', example, '-o', 'json'];
  const without = JSON.parse((await run(planned)).out) as PlanAnswer;
  const { hash } = JSON.parse((await run([...planned, '--bypass', 'LAB-MEMORY'])).out) as PlanAnswer;
  expect(hash).not.toBe(without.hash);
  expect((await run(['apply', '-f', example, '--plan', hash])).code).toBe(8);
  expect((await run(['apply', '-f', example, '--plan', hash, '--bypass', 'LAB-MEMORY'])).code).toBe(0);
});

describe('following by events (K7, V12)', () => {
  test('3: a failed check ends the command with what was seen, and resume is offered', async () => {
    agent = await FakeAgent.join(daemon, () => ({
      state: 'failed',
      hardLimit: false,
      problem: {
        kind: 'blocked',
        code: 'HOST-CPU',
        summary: 'there is one CPU, and two are needed',
        remedy: 'add one',
      },
    }));
    const { code, err } = await run(['apply', '-f', example, '--wait']);
    expect([code, err]).toEqual([3, expect.stringContaining('HOST-CPU: there is one CPU')]);
    expect(err).toContain('remuda operation resume');
  });

  test('kill -9 of the daemon in the middle of apply --wait: the command stays; cancel ends it', async () => {
    agent = await FakeAgent.join(daemon, running);
    const ports = { port: Number(new URL(daemon.url).port), linkPort: daemon.linkPort };
    let phase = 0;
    const restart = async (): Promise<void> => {
      await daemon.end('SIGKILL');
      daemon = await startDaemonProcess(folder, ports);
    };
    const cancel = async (): Promise<void> => {
      const { out } = await run(['get', 'operations', '-o', 'json']);
      const { items } = JSON.parse(out) as { readonly items: readonly { readonly id: string }[] };
      await run(['operation', 'cancel', items[0]?.id ?? '']);
    };
    const { code, out, err } = await run(['apply', '-f', example, '--wait'], (output) => {
      if (phase === 0 && output.includes('started preflight')) {
        phase = 1;
        void restart();
      }
      if (phase === 1 && output.includes('the daemon is back')) {
        phase = 2;
        void cancel();
      }
    });
    expect(out).toContain('still trying');
    expect(out).toContain('the daemon is back');
    expect([code, err]).toEqual([4, expect.stringContaining('remuda operation resume')]);
  });
});
