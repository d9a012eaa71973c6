import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../appliance/agent/protocol/dispatch.ts';
import type { OperationDetail, PlanAnswer } from '../../../daemon/api/types.ts';
import { type DaemonProcess, startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { ask } from '../api/http.ts';
import { CommandLine } from '../cli/command.ts';

/*
 * Policies through every door that leads to work, with the real daemon and command line; only the agent is a fake.
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
let agent: FakeAgent | undefined;
let outcome: Outcome | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-policies-'));
  daemon = await startDaemonProcess(folder);
  cli = new CommandLine();
  outcome = undefined;
  agent = await FakeAgent.join(daemon, () => outcome);
});
afterEach(async () => {
  agent?.[Symbol.dispose]();
  await daemon.end('SIGTERM');
  cli[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (words: readonly string[], token = daemon.admin) =>
  cli.run(words, { environment: { REMUDA_SERVER: daemon.url, REMUDA_TOKEN: token } });
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const policy = (name: string, action: string, expression: string): string =>
  `apiVersion: remuda.dev/v1alpha1\nkind: Policy\nmetadata: { name: ${name} }\nspec:\n  action: ${action}\n  validations: [{ expression: "${expression}", message: No such cluster here. }]\n`;
const denying = policy(
  'no-lab',
  'Deny',
  "object.metadata.name != 'lab-small' || object.spec.controlPlane.replicas > 6",
);
const post = async (path: string, body: object) =>
  ask(daemon.url + path, daemon.authority, {
    method: 'POST',
    token: daemon.admin,
    body: JSON.stringify(body),
  });
const operations = async (): Promise<readonly OperationDetail[]> =>
  (JSON.parse((await run(['get', 'operations', '-o', 'json'])).out) as { items: OperationDetail[] }).items;
async function failedOperation(): Promise<string> {
  outcome = failed;
  await run(['apply', '-f', file('lab.yaml', example), '--wait']);
  const [operation] = await operations();
  expect(operation?.state).toBe('failed');
  return operation?.id ?? '';
}

describe('C9: a policy that denies', () => {
  test('is refused by plan, apply, a reviewed hash, preflight and the API itself, with policy, message and line', async () => {
    const lab = file('lab.yaml', example);
    const plan = JSON.parse((await run(['plan', '-f', lab, '-o', 'json'])).out) as PlanAnswer;
    expect((await run(['apply', '-f', file('p.yaml', denying)])).code).toBe(0);
    const doors = [
      ['plan', '-f', lab],
      ['apply', '-f', lab],
      ['apply', '-f', lab, '--plan', plan.hash],
      ['preflight', '-f', lab],
    ];
    for (const words of doors) {
      const { code, err } = await run(words);
      expect([words[0], code, err]).toEqual([words[0], 2, expect.stringContaining('POLICY-001')]);
      expect(err).toContain('Policy no-lab refuses cluster lab-small: No such cluster here.');
      expect(err).toMatch(/lab\.yaml:\d+:\d+ .*spec\.controlPlane\.replicas/);
    }
    for (const path of ['/api/v1/plans', '/api/v1/apply', '/api/v1/preflight'])
      expect((await post(path, { text: example, file: 'x' })).status).toBe(422);
    expect(await operations()).toEqual([]);
  });

  test('a policy that came after the failure stops the resume; when it is gone, the work goes on', async () => {
    const id = await failedOperation();
    await run(['apply', '-f', file('p.yaml', denying)]);
    const refused = await run(['operation', 'resume', id]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('POLICY-001')]);
    expect((await operations())[0]?.state).toBe('failed');
    await run(['policy', 'remove', 'no-lab']);
    outcome = undefined;
    expect((await run(['operation', 'resume', id])).code).toBe(0);
  });

  test('it cannot be loosened in the same file or removed by whoever may not change policies', async () => {
    const operator = (await run(['token', 'create', 'op', '--role', 'operator'])).out.trim();
    await run(['apply', '-f', file('p.yaml', denying)]);
    const loose = policy('no-lab', 'Warn', 'true');
    const both = await run(['apply', '-f', file('both.yaml', `${loose}---\n${example}`)], operator);
    expect([both.code, both.err]).toEqual([1, expect.stringContaining('ACCESS-002')]);
    expect((await run(['policy', 'remove', 'no-lab'], operator)).err).toContain('ACCESS-002');
    expect((await run(['policy', 'get', 'no-lab'])).out).toContain('Deny');
  });

  test('an expression that cannot be evaluated denies too', async () => {
    await run(['apply', '-f', file('p.yaml', policy('broken', 'Deny', 'object.spec.nothing == 1'))]);
    const { code, err } = await run(['plan', '-f', file('lab.yaml', example)]);
    expect([code, err]).toEqual([2, expect.stringContaining('could not be evaluated')]);
  });
});

describe('C9: a policy on deletes', () => {
  const onDelete = (action: string, expression: string): string =>
    policy('keep', action, expression).replace('spec:\n', 'spec:\n  match: { operations: [DELETE] }\n');

  test('is asked by the plan of a delete and by the delete, and says nothing of an apply', async () => {
    await failedOperation();
    await run(['apply', '-f', file('k.yaml', onDelete('Deny', "oldObject.metadata.name != 'lab-small'"))]);
    for (const words of [
      ['delete', 'lab-small'],
      ['delete', 'lab-small', '--confirm', 'lab-small'],
    ]) {
      const { code, err } = await run(words);
      expect([words, code, err]).toEqual([words, 2, expect.stringContaining('POLICY-001')]);
      expect(err).toContain('Policy keep refuses to let cluster lab-small be deleted: No such cluster here.');
    }
    const direct = await post('/api/v1/clusters/lab-small/delete', { confirm: 'lab-small' });
    expect(direct.status).toBe(422);
    expect((await operations()).map(({ kind }) => kind)).toEqual(['create']);
    expect((await run(['plan', '-f', file('lab.yaml', example)])).err).not.toContain('POLICY-001');
  });

  test('one that warns is shown with the plan of the delete; who asks is known to it', async () => {
    await failedOperation();
    const principal = "request.operation == 'DELETE' && request.principal != 'token:admin'";
    await run(['apply', '-f', file('k.yaml', onDelete('Warn', principal))]);
    const { code, out } = await run(['delete', 'lab-small']);
    expect([code, out]).toEqual([expect.any(Number), expect.stringContaining('Warning: Policy keep:')]);
  });

  test('the dry run says whom it would keep', async () => {
    await failedOperation();
    const tried = await run(['policy', 'test', '-f', file('k.yaml', onDelete('Deny', 'object != null'))]);
    expect([tried.code, tried.out]).toEqual([6, expect.stringMatching(/lab-small +keep +DELETE +denies/)]);
  });
});

describe('C9: a policy that warns', () => {
  test('is shown with the plan and changes neither its hash nor what happens', async () => {
    const lab = file('lab.yaml', example);
    const before = JSON.parse((await run(['plan', '-f', lab, '-o', 'json'])).out) as PlanAnswer;
    await run([
      'apply',
      '-f',
      file('p.yaml', policy('small', 'Warn', 'object.spec.controlPlane.replicas > 6')),
    ]);
    const after = JSON.parse((await run(['plan', '-f', lab, '-o', 'json'])).out) as PlanAnswer;
    expect(after.hash).toBe(before.hash);
    expect(after.plans[0]?.warnings).toMatchObject([
      { code: 'POLICY-002', place: { field: 'spec.controlPlane.replicas' } },
    ]);
    expect((await run(['plan', '-f', lab])).out).toContain('Warning: Policy small: No such cluster here.');
    expect((await run(['apply', '-f', lab, '--plan', before.hash])).code).toBe(0);
  });
});

describe('C9: looking at policies, and trying them', () => {
  test('shipped ones are listed, can be replaced and removed, and stay so over a restart', async () => {
    expect((await run(['policy', 'list'])).out).toContain('production-has-three-masters');
    expect((await run(['policy', 'remove', 'production-is-protected'])).code).toBe(0);
    const own = policy('production-has-three-masters', 'Deny', 'true');
    await run(['apply', '-f', file('own.yaml', own)]);
    const ports = { port: Number(new URL(daemon.url).port), linkPort: daemon.linkPort };
    await daemon.end('SIGKILL');
    daemon = await startDaemonProcess(folder, ports);
    const { out } = await run(['policy', 'list', '-o', 'json']);
    const { items } = JSON.parse(out) as { items: { name: string; source: string }[] };
    expect(items.map(({ name, source }) => `${name} ${source}`)).toEqual([
      'production-has-three-masters applied',
      'production-has-two-workers shipped',
    ]);
    expect((await run(['policy', 'remove', 'production-is-protected'])).err).toContain(
      'production-is-protected',
    );
  });

  test('a dry run against all clusters changes nothing and says whom it would refuse', async () => {
    await failedOperation();
    const tried = await run(['policy', 'test', '-f', file('p.yaml', denying)]);
    expect([tried.code, tried.out]).toEqual([6, expect.stringContaining('No such cluster here.')]);
    expect((await run(['policy', 'list'])).out).not.toContain('no-lab');
    expect((await run(['policy', 'test'])).code).toBe(0);
    const broken = await run(['policy', 'test', '-f', file('q.yaml', policy('q', 'Deny', 'object.'))]);
    expect([broken.code, broken.err]).toEqual([2, expect.stringContaining('q.yaml:6:')]);
  });

  test('what is applied is printed as it can be applied again, unchanged', async () => {
    await run(['apply', '-f', file('p.yaml', denying)]);
    const { out } = await run(['policy', 'get', 'no-lab']);
    const again = await run(['apply', '-f', file('again.yaml', out), '-o', 'json']);
    expect([again.code, (JSON.parse(again.out) as { stored: readonly string[] }).stored]).toEqual([0, []]);
  });
});
