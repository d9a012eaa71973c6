import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerCertificateMetrics } from '../../../daemon/api/certificate-metrics.ts';
import { Certificates } from '../../../daemon/operations/certificates/certificates.ts';
import { Recorder } from '../../../daemon/operations/recorder.ts';
import { State } from '../../../daemon/state/state.ts';
import type { Observed, ObservedCertificate } from '../../../provisioners/contract/observed.ts';

const now = '2026-11-21T12:00:00.000Z';
const day = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.parse(now) + days * day).toISOString();
const certificateOf = (machine: string, name: string, days: number): ObservedCertificate => ({
  machine,
  name,
  notAfter: inDays(days),
});

let folder: string;
let state: State;
let certificates: Certificates;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-certificates-'));
  state = new State({ folder, reserveBytes: 4096 });
  certificates = new Certificates(new Recorder(state, { now: () => Date.parse(now), after: () => () => {} }));
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

function add(name: string, observed?: Partial<Observed>): string {
  state.providers.put({
    name: 'lab',
    type: 'lab',
    site: 'local',
    destination: 'lab',
    document: {},
    principal: 'p',
    updatedAt: now,
  });
  const uid = `u-${name}`;
  const keys = { sealed: '', public: { caHash: '', caCertificate: '', sshPublicKey: '' } };
  state.clusters.add({ uid, name, provider: 'lab', keys, createdAt: now });
  if (observed !== undefined) see(uid, name, observed);
  return uid;
}

const see = (uid: string, name: string, observed: Partial<Observed>): void =>
  state.clusters.setObserved(uid, {
    cluster: { uid, name },
    at: now,
    infrastructure: { state: 'present', detail: '' },
    references: {},
    incarnations: {},
    retired: {},
    unseen: [],
    ...observed,
  });

describe('what is known of certificates (complaint 13)', () => {
  it('is counted for Prometheus by cluster and by who renews, the first end of each, and no more', async () => {
    const many = Array.from({ length: 9 }, (_none, index) =>
      certificateOf(`m${index}`, 'apiserver', 40 + index),
    );
    add('one', {
      certificates: [...many, certificateOf('m1', 'ca', 3000), certificateOf('m1', 'kubelet/client', 200)],
    });
    add('two', { certificates: [certificateOf('m1', 'etcd/server', -1)] });
    add('unseen');
    const registry = new Registry();
    registerCertificateMetrics(registry, { certificates });
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('remuda_'));
    const name = 'remuda_certificate_not_after_timestamp_seconds';
    const at = (days: number): number => Date.parse(inDays(days)) / 1000;
    expect(lines.toSorted()).toEqual([
      `${name}{cluster="one",renewed_by="kubeadm"} ${at(40)}`,
      `${name}{cluster="one",renewed_by="kubelet"} ${at(200)}`,
      `${name}{cluster="one",renewed_by="rotation"} ${at(3000)}`,
      `${name}{cluster="two",renewed_by="kubeadm"} ${at(-1)}`,
    ]);
  });

  it('stays what it was of a master that was not visited, until that one is gone', () => {
    const machine = (name: string) => ({
      name,
      role: 'control-plane' as const,
      token: '',
      incarnation: 1,
      cluster: { uid: 'u-one', name: 'one' },
      id: name,
      state: 'running' as const,
    });
    const uid = add('one', {
      certificates: [certificateOf('m1', 'apiserver', 40), certificateOf('m2', 'apiserver', 30)],
    });
    const names = (): string[] => certificates.list('one').certificates.map(({ machine: of }) => of);
    see(uid, 'one', {
      machines: [machine('m1'), machine('m2')],
      certificates: [certificateOf('m1', 'apiserver', 365)],
    });
    expect(names()).toEqual(['m2', 'm1']);
    see(uid, 'one', { unseen: ['No master could be visited.'] });
    expect(names()).toEqual(['m2', 'm1']);
    see(uid, 'one', { machines: [machine('m1')], certificates: [certificateOf('m1', 'apiserver', 364)] });
    expect(names()).toEqual(['m1']);
  });

  it('stands in lists with its worst level, the first of those, and how many there are', () => {
    const uid = add('one', {
      certificates: [
        certificateOf('m1', 'apiserver', 5),
        certificateOf('m1', 'etcd/server', 6),
        certificateOf('m2', 'apiserver', 80),
      ],
    });
    const first = { machine: 'm1', name: 'apiserver', notAfter: inDays(5) };
    expect(certificates.shownWith({ uid })).toEqual({
      uid,
      certificates: { level: 'critical', seenAt: now, count: 2, first },
    });
    expect(certificates.shownWith({ uid: add('unseen') })).toEqual({ uid: 'u-unseen' });
    expect(certificates.list('unseen')).toMatchObject({
      certificates: [],
      unseen: expect.stringContaining('Nobody'),
    });
    expect(() => certificates.list('stranger')).toThrow('stranger');
  });
});
