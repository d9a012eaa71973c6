import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CertificateList } from '../../../daemon/operations/certificates/certificates.ts';
import { certificateInventory } from '../../../provisioners/kubernetes/certificate-inventory.ts';
import { addFakeCluster } from '../api/fake-clusters.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

beforeAll(async () => {
  addFakeCluster(cli.site, 'demo');
  const seen = { state: 'present' as const, detail: '' };
  const cluster = cli.site.engine.getCluster('demo');
  const identity = { uid: cluster.uid, name: 'demo' };
  const observed = {
    cluster: identity,
    at: inDays(0),
    infrastructure: seen,
    references: {},
    incarnations: {},
    retired: {},
    unseen: [],
  };
  cli.site.engine.clusters.set('demo', { ...cluster, observed });
});

const day = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.now() + days * day + 60_000).toISOString();
const of = (name: string, days: number, issuer: string) => ({
  machine: 'demo-cp-1',
  name,
  notAfter: inDays(days),
  issuer,
});

const listed = (): CertificateList => ({
  ...certificateInventory(
    [
      of('apiserver', 5, 'kubernetes'),
      of('etcd/server', 60, 'etcd-ca'),
      of('etcd/ca', 50, 'etcd-ca'),
      of('ca', 3000, 'kubernetes'),
      of('kubelet/client', 300, 'kubernetes'),
    ],
    new Date().toISOString(),
  ),
  seenAt: inDays(0),
  rotation: { isFinished: true, next: 'trust' },
  workers: ['demo-general-1', '\u001b[31mred'],
});

beforeEach(() => {
  cli.site.engine.certificateList = listed();
});

describe('certificates, from the command line (H12, H16, complaint 13)', () => {
  test('every one with its end, days left, who signed it and who renews it; whose authority ends sooner', async () => {
    const { code, out, err } = await cli.run(['certificates', 'list', 'demo']);
    expect(code).toBe(0);
    const lines = out.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));
    expect(lines[0]).toBe('MACHINE  CERTIFICATE  ENDS  DAYS LEFT  SIGNED BY  RENEWED BY');
    expect(lines[1]).toMatch(/^demo-cp-1 {2}apiserver {2}\S.* {2}5 {2}kubernetes {2}certificates renew$/);
    expect(out).toMatch(/etcd\/server .*60 +etcd-ca, which itself ends /);
    expect(out).toMatch(/kubelet\/client .* its kubelet, by itself/);
    expect(err).toContain('A renewal is due: remuda certificates renew demo');
    expect(err).toContain('which it renews by itself (demo-general-1, red)');
    expect(out + err).not.toContain('\u001b');
  });

  test('--fresh looks first, and the data are there for programs', async () => {
    const { out } = await cli.run(['certificates', 'list', 'demo', '--fresh', '-o', 'json']);
    expect(cli.askedFor('observe')).toBe('demo');
    expect(JSON.parse(out)).toMatchObject({
      level: 'critical',
      certificates: [{ name: 'apiserver' }, {}, {}, {}, {}],
    });
  });

  test('says why there are none', async () => {
    cli.site.engine.certificateList = {
      certificates: [],
      level: 'ok',
      rotation: { isFinished: true, next: 'trust' },
      workers: [],
      unseen: 'Nobody has looked yet.',
    };
    const { code, out, err } = await cli.run(['certificates', 'list', 'demo']);
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain('No certificate was seen: Nobody has looked yet.');
  });

  test('renew asks for an operation, of all masters or of those named', async () => {
    await cli.run(['certificates', 'renew', 'demo', '--yes']);
    expect(cli.askedFor('startIntent')).toMatchObject({ cluster: 'demo', intent: { kind: 'renew' } });
    cli.site.engine.asked.length = 0;
    const since = '2026-11-01T00:00:00Z';
    await cli.run([
      'certificates',
      'renew',
      'demo',
      '--machine',
      'a',
      '--machine',
      'b',
      '--since',
      since,
      '-y',
    ]);
    expect(cli.askedFor('startIntent')).toMatchObject({
      intent: { kind: 'renew', machines: ['a', 'b'], since },
    });
    cli.site.engine.asked.length = 0;
    await cli.run(['certificates', 'renew', 'demo', '--kubelets', '-y']);
    expect(cli.askedFor('startIntent')).toMatchObject({ intent: { kind: 'renew', kubelets: true } });
    const wrong = await cli.run(['certificates', 'renew', 'demo', '--since', 'yesterday', '-y']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('since');
  });

  test('rotate asks for one stage, and the list says which comes next', async () => {
    const { code } = await cli.run(['certificates', 'rotate', 'demo', '--stage', 'trust', '--yes']);
    expect(code).toBe(0);
    expect(cli.askedFor('startRotation')).toMatchObject({
      cluster: 'demo',
      stage: 'trust',
      endsCredentials: false,
    });
    cli.site.engine.asked.length = 0;
    await cli.run(['certificates', 'rotate', 'demo', '--stage', 'drop', '--end-credentials', '-y']);
    expect(cli.askedFor('startRotation')).toMatchObject({ stage: 'drop', endsCredentials: true });
    expect((await cli.run(['certificates', 'rotate', 'demo', '-y'])).code).toBe(2);
    expect((await cli.run(['certificates', 'rotate', 'demo', '--stage', 'all', '-y'])).code).toBe(2);
    const rotation = { stage: 'trust', since: inDays(-2), isFinished: true, next: 'reissue' } as const;
    cli.site.engine.certificateList = { ...listed(), rotation };
    const { err } = await cli.run(['certificates', 'list', 'demo']);
    expect(err).toContain('remuda certificates rotate demo --stage reissue');
  });

  test('a plan that is held by somebody is not asked about: who holds it is said, and nothing begins (V8)', async () => {
    const before = cli.site.engine.planAnswer;
    const summary = 'The authorities of demo cannot reissue yet: 1 pod believes the old one alone';
    const plan = {
      kind: 'rotate' as const,
      cluster: { uid: 'u-1', name: 'demo' },
      premises: { revision: 'r', observedAt: '2026-11-22T02:00:00.000Z', machines: {}, versions: {} },
      steps: [],
      destroys: [],
      notices: [],
      changes: [],
    };
    const shown = { cluster: 'demo', plan, hash: 'sha256:one', text: 'Rotate demo\n', isUnchanged: false };
    cli.site.engine.planAnswer = {
      problems: [{ kind: 'blocked', code: 'CERT-013', summary, remedy: 'Start it anew.' }],
      plans: [shown],
      hash: 'sha256:one',
      needsConfirmation: [],
    };
    const { code, err } = await cli.run(['certificates', 'rotate', 'demo', '--stage', 'reissue']);
    expect({ code, isBegun: cli.askedFor('startRotation') !== undefined }).toEqual({
      code: 8,
      isBegun: false,
    });
    expect(err).toContain('Rotate demo');
    expect(err).toContain(summary);
    cli.site.engine.planAnswer = before;
  });

  test('a line below the clusters says what to do, and so does describe', async () => {
    const cluster = cli.site.engine.getCluster('demo');
    const first = { machine: 'demo-cp-1', name: 'apiserver', notAfter: inDays(5) };
    const certificates = { level: 'critical' as const, seenAt: inDays(0), count: 3, first };
    cli.site.engine.clusters.set('demo', { ...cluster, certificates });
    try {
      const sentence =
        '3 certificates of demo end within 7 days, the first in 5 days (apiserver on demo-cp-1): remuda certificates renew demo';
      expect((await cli.run(['get', 'clusters'])).err).toContain(sentence);
      expect((await cli.run(['describe', 'cluster', 'demo'])).out).toContain(sentence);
      expect((await cli.run(['get', 'clusters', '-o', 'json'])).err).not.toContain('certificates of demo');
    } finally {
      cli.site.engine.clusters.set('demo', cluster);
    }
  });
});
