import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerFilePlanners } from '../../../daemon/operations/answer-file.ts';
import { answerFile } from '../../faults/answer-file.ts';
import { startDaemonProcess } from '../api/daemon-process.ts';
import { FakeAgent } from '../api/fake-agent.ts';
import { ask } from '../api/http.ts';

const text = (name: string): string =>
  answerFile({ name, masters: 1, workers: 1 }).replace('lab: { subnet: 10.64.0.0/16 }', 'lab: {}');
const known = { providers: [], secrets: [], clusters: [] };
const { parse } = answerFilePlanners;

test('labs whose provider names no subnet stand apart, and a second apply changes nothing (V1)', () => {
  const [one] = parse(text('one'), 'one.yaml', known).clusters;
  expect(one?.nodeNetwork?.gateway).toBe('10.77.0.1');
  const kept = one === undefined ? [] : [one.document];
  const [two] = parse(text('two'), 'two.yaml', { ...known, clusters: kept }).clusters;
  expect([two?.nodeNetwork?.gateway, two?.endpoint?.host]).toEqual(['10.78.0.1', '10.78.0.100']);
  const both = two === undefined ? kept : [...kept, two.document];
  // Also when the first is gone meanwhile: what was kept stays.
  for (const clusters of [both, both.slice(1)])
    expect(parse(text('two'), 'two.yaml', { ...known, clusters }).clusters).toEqual([two]);
  expect(parse(text('one'), 'one.yaml', { ...known, clusters: both }).clusters).toEqual([one]);
});

test('two clusters of one file get two subnets', () => {
  const [, second = ''] = text('two').split('---');
  const { clusters } = parse(`${text('one')}---${second}`, 'both.yaml', known);
  expect(clusters.map(({ nodeNetwork }) => nodeNetwork?.gateway)).toEqual(['10.77.0.1', '10.78.0.1']);
});

test('complaint 15: first applies at the same moment get a subnet each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-subnets-'));
  const daemon = await startDaemonProcess(folder);
  try {
    using agent = await FakeAgent.join(daemon, () => undefined);
    const call = (path: string, body?: object) =>
      ask(`${daemon.url}/api/v1/${path}`, daemon.authority, {
        token: daemon.admin,
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
    const names = ['one', 'two', 'three'];
    const applied = await Promise.all(names.map((name) => call('apply', { text: text(name), file: name })));
    expect(applied.map(({ status }) => status)).toEqual([202, 202, 202]);
    const gateways = await Promise.all(
      names.map(async (name) => {
        const { json } = await call(`clusters/${name}`);
        const { desired } = json as {
          readonly desired: { readonly spec: { readonly nodeNetwork: { readonly gateway: string } } };
        };
        return desired.spec.nodeNetwork.gateway;
      }),
    );
    expect(gateways.sort()).toEqual(['10.77.0.1', '10.78.0.1', '10.79.0.1']);
    expect(agent.dispatched.length).toBeGreaterThan(0);
  } finally {
    await daemon.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
});
