import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ClusterHealth, ClusterView, HealthTransition } from '../../../daemon/api/types.ts';
import { type FleetSite, startFleetSite } from '../../browser/fleet-site.ts';
import { insecureFetch } from '../../browser/insecure-fetch.ts';
import { answerFile } from '../../faults/answer-file.ts';
import { startHook } from '../audit/receivers.ts';
import { CommandLine } from '../cli/command.ts';
import { loopbackCertificate } from '../payload/certificate.ts';

/*
 * The command line, a real daemon, a real link and the agent's own watching, over the model in place of machines.
 */
let site: FleetSite;
let cli: CommandLine;
let folder: string;

const patient = { timeout: 100_000, interval: 300 };
const run = (...words: readonly string[]) =>
  cli.run(words, { environment: { REMUDA_SERVER: site.url, REMUDA_TOKEN: site.token } });
const get = async <Answer>(path: string): Promise<Answer> =>
  JSON.parse(
    await insecureFetch(`${site.url}${path}`, {
      method: 'GET',
      headers: { Authorization: `Bearer ${site.token}` },
    }),
  ) as Answer;
const healthWord = async (): Promise<string | undefined> =>
  (await get<{ readonly items: readonly ClusterView[] }>('/api/v1/clusters')).items[0]?.health?.status;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-health-'));
  site = await startFleetSite();
  cli = new CommandLine();
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, answerFile({ masters: 3, workers: 1 }));
  expect((await run('apply', '-f', file, '--wait')).code).toBe(0);
  await vi.waitFor(async () => expect(await healthWord()).toBe('Healthy'), patient);
});

afterAll(async () => {
  cli[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('health, from the command line to the machines (K6)', () => {
  test('a cluster that is well: one word in the list, every condition in describe, exit code 0', async () => {
    expect((await run('get', 'clusters')).out).toMatch(/NAME +PHASE +HEALTH[\s\S]*demo +Ready +Healthy/);
    const all = await run('health');
    expect([all.code, all.out]).toEqual([0, expect.stringMatching(/demo +Healthy/)]);
    const { out } = await run('describe', 'cluster', 'demo');
    for (const type of ['ApiServerHealthy', 'EtcdHealthy', 'NodesReady', 'CertificatesValid', 'DiskSpace'])
      expect(out).toMatch(new RegExp(`True +${type}`));
  });

  test('metrics name every condition once, and count nodes and members', async () => {
    const text = await insecureFetch(`${site.url}/metrics`, {
      method: 'GET',
      headers: { Authorization: `Bearer ${site.token}` },
    });
    expect(text).toContain('remuda_cluster_condition{cluster="demo",condition="EtcdHealthy"} 1');
    expect(text.match(/^remuda_cluster_condition\{/gm)).toHaveLength(7);
    expect(text).toContain('remuda_cluster_nodes_ready{cluster="demo"} 4');
    expect(text).toContain('remuda_cluster_etcd_members_healthy{cluster="demo"} 3');
    expect(
      Number(/remuda_cluster_certificate_end_seconds\{cluster="demo"\} (\d+)/.exec(text)?.[1]),
    ).toBeGreaterThan(86_400);
    expect(text).toContain('remuda_operations{state="succeeded"} 1');
  });

  test('drift: nothing on a cluster as asked; a changed file by machine, with exit code 6, and apply mends it', async () => {
    const clean = await run('drift', 'demo');
    expect([clean.code, clean.out]).toEqual([
      0,
      expect.stringMatching(/demo: as asked \(\d+ steps looked at\)/),
    ]);
    const machine = site.fleet.machines().find(({ name }) => name === 'demo-cp-2');
    const path = [...(machine?.files.keys() ?? [])].find((one) => one.includes('audit')) ?? '';
    machine?.files.set(path, { content: 'by hand', mode: 0o600 });
    const found = await run('drift', 'demo');
    expect(found.code).toBe(6);
    expect(found.out).toMatch(/demo-cp-2\n {2}different/);
    expect(found.out).toContain(`- ${path} on demo-cp-2: `);
    expect(found.out).toContain('The next apply puts it back in place.');
    const file = join(folder, 'cluster.yaml');
    expect((await run('plan', '-f', file)).out).toContain('put back:');
    expect((await run('apply', '-f', file, '--wait')).code).toBe(0);
    expect((await run('drift', 'demo')).code).toBe(0);
    await vi.waitFor(async () => expect(await healthWord()).toBe('Healthy'), patient);
  });

  test('a master that dies: what is wrong, since when and what to do, exit code 1; the history has it', async () => {
    site.fleet.addFault({ kind: 'machine-dies', machine: 'demo-cp-3', at: site.fleet.elapsed });
    await vi.waitFor(async () => expect(await healthWord()).toBe('Degraded'), patient);
    await vi.waitFor(async () => {
      const { conditions } = await get<ClusterHealth>('/api/v1/clusters/demo/health');
      expect(conditions.find(({ type }) => type === 'EtcdHealthy')).toMatchObject({ status: 'False' });
    }, patient);
    const { code, out } = await run('health', 'demo');
    expect(code).toBe(1);
    expect(out).toMatch(/warning {2}EtcdHealthy since/);
    expect(out).toContain('demo-cp-3 is not healthy; 2 of 3 voters are, none more may fail.');
    expect(out).toContain(
      'What to do: Look at the machine; if it is lost: remuda machine replace demo demo-cp-3',
    );
    expect((await run('health')).out).toMatch(/demo +Degraded/);
    const first = await get<{ readonly items: readonly HealthTransition[]; readonly next?: string }>(
      '/api/v1/clusters/demo/health/history?limit=1',
    );
    expect(first.items).toHaveLength(1);
    const second = await get<{ readonly items: readonly HealthTransition[] }>(
      `/api/v1/clusters/demo/health/history?limit=1&cursor=${first.next ?? ''}`,
    );
    expect(second.items[0]?.number).toBeLessThan(first.items[0]?.number ?? 0);
    expect((await run('health', 'demo', '--history')).out).toMatch(/EtcdHealthy +True +False/);
    expect((await run('events')).out).toContain('cluster.health');
  });

  test('after a kill of the daemon health is there again by itself', async () => {
    await site.kill();
    await site.restart();
    await vi.waitFor(async () => expect(await healthWord()).toBe('Degraded'), patient);
  });
});

describe('receivers of alerts, from the command line to the webhook', () => {
  const settings = async (text: string): Promise<string> => {
    const file = join(folder, 'receiver.json');
    writeFileSync(file, text);
    return file;
  };

  test('a receiver without its secret is refused with the way to give it', async () => {
    const file = await settings(
      JSON.stringify({ server: 'https://alerts.example/hook', secretRef: 'nowhere' }),
    );
    const { code, err } = await run('alert', 'receiver', 'set', 'ops', '-f', file);
    expect(code).not.toBe(0);
    expect(err).toContain('ALERT-011');
    expect(err).toContain('remuda secret set nowhere --from-file hmac=FILE');
  });

  test('a test message arrives signed by Standard Webhooks; one that does not arrive says why', async () => {
    const certificate = await loopbackCertificate();
    await using hook = await startHook(certificate);
    const key = join(folder, 'hmac');
    writeFileSync(key, 'whsec_c2VjcmV0LWNhbmFyeQ==');
    expect((await run('secret', 'set', 'hook', '--from-file', `hmac=${key}`)).code).toBe(0);
    const server = `https://127.0.0.1:${hook.port}/alerts`;
    const file = await settings(
      JSON.stringify({ server, authority: certificate.certificate, secretRef: 'hook' }),
    );
    expect((await run('alert', 'receiver', 'set', 'ops', '-f', file)).code).toBe(0);
    const tried = await run('alert', 'receiver', 'test', 'ops');
    expect([tried.code, tried.out, tried.err]).toEqual([0, expect.stringContaining('took the test'), '']);
    const [got] = hook.got;
    expect(got?.path).toBe('/alerts');
    const {
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': signature,
    } = got?.headers ?? {};
    const expected = createHmac('sha256', Buffer.from('c2VjcmV0LWNhbmFyeQ==', 'base64'))
      .update(`${String(id)}.${String(seconds)}.${got?.body ?? ''}`)
      .digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({ type: 'remuda.alerts', notices: [{ isTest: true }] });
    hook.status = 500;
    const failed = await run('alert', 'receiver', 'test', 'ops');
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('ALERT-002');
    expect(failed.err).not.toContain('body-canary');
    expect((await run('alert', 'receiver', 'list')).out).toMatch(/ops +https:.*warning +all/);
    expect((await run('alert', 'receiver', 'remove', 'ops')).code).toBe(0);
    expect((await run('alert', 'list')).code).toBe(0);
  });
});
