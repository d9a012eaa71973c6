import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { healthSchema } from '../../../daemon/operations/link-messages.ts';
import type { HealthLook } from '../../../provisioners/contract/health.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import {
  conditionsOf,
  numbersOf,
  unseenConditions,
} from '../../../provisioners/kubernetes/health-conditions.ts';

const at = '2026-11-21T00:00:00.000Z';
const day = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.parse(at) + days * day).toISOString();

const member = (index: number, changes: Partial<EtcdMember> = {}): EtcdMember => ({
  id: `${index}`,
  name: `cp-${index}`,
  peerURLs: [],
  started: true,
  learner: false,
  healthy: true,
  leader: index === 1,
  ...changes,
});

const node = (
  name: string,
  ready = true,
): Extract<HealthLook['nodes'], { seen: unknown }>['seen'][number] => ({
  name,
  ready,
  unschedulable: false,
  kubeletVersion: 'v1.20.2',
  controlPlane: name.startsWith('cp'),
  labels: {},
  taints: [],
});

/** A cluster of three masters and a worker in which all is well. */
const well: HealthLook = {
  cluster: 'demo',
  at,
  masters: ['cp-1', 'cp-2', 'cp-3'],
  apiServers: { 'cp-1': 'v1.20.2', 'cp-2': 'v1.20.2', 'cp-3': 'v1.20.2' },
  endpoint: { address: '10.0.0.100:6443', isAnswering: true },
  nodes: { seen: ['cp-1', 'cp-2', 'cp-3', 'w-1'].map((name) => node(name)) },
  members: { seen: [member(1), member(2), member(3)] },
  certificates: { seen: [{ machine: 'cp-1', name: 'apiserver', notAfter: inDays(300) }] },
  disks: { seen: { 'cp-1': { '/': 60e9 } } },
  expected: ['cp-1', 'cp-2', 'cp-3', 'w-1'],
  isChanging: false,
  kubernetesVersion: 'v1.20.2',
};
const found = (changes: Partial<HealthLook>, type: string) =>
  conditionsOf({ ...well, ...changes }).find((condition) => condition.type === type);

/** How many more of the voters may fail, by trying: no formula of the code under test. */
function spare(members: readonly EtcdMember[]): number {
  const voters = members.filter(({ learner }) => !learner);
  let alive = voters.filter(({ healthy, started }) => healthy && started).length;
  let more = -1;
  while (alive * 2 > voters.length) {
    more += 1;
    alive -= 1;
  }
  return more;
}

describe('conditions of a cluster (K6)', () => {
  test('what is well is True everywhere; what nobody could see is True nowhere', () => {
    expect(new Set(conditionsOf(well).map(({ status }) => status))).toEqual(new Set(['True']));
    expect(new Set(unseenConditions('why').map(({ status }) => status))).toEqual(new Set(['Unknown']));
    const unseen = { unseen: 'nobody answered' };
    const blind = conditionsOf({
      ...well,
      masters: [],
      apiServers: {},
      nodes: unseen,
      members: unseen,
      certificates: unseen,
      disks: unseen,
    });
    expect(new Set(blind.map(({ status }) => status))).toEqual(new Set(['Unknown']));
    expect(numbersOf({ ...well, nodes: unseen, members: unseen, certificates: unseen })).toEqual({});
  });

  test('etcd: for every set of members the message says how many more may fail, and lost quorum is critical', () => {
    const anyMember = record({ healthy: boolean(), started: boolean(), learner: boolean() });
    assert(
      property(array(anyMember, { minLength: 1, maxLength: 7 }), (drawn) => {
        const members = drawn.map((changes, index) => member(index + 1, changes));
        const condition = found({ members: { seen: members } }, 'EtcdHealthy');
        const more = spare(members);
        const isAllWell = members.every(({ healthy, started }) => healthy && started);
        if (more < 0)
          expect(condition).toMatchObject({ status: 'False', severity: 'critical', reason: 'QuorumLost' });
        else expect(condition?.status).toBe(isAllWell ? 'True' : 'False');
        const words = ['none more may fail', 'one more may fail', '2 more may fail', '3 more may fail'];
        expect(condition?.message).toContain(more < 0 ? 'nothing can be written' : (words[more] ?? '?'));
      }),
    );
  });

  test('remedies name the machines that are meant, also where etcd has machines of its own (H4)', () => {
    const of = (index: number, changes: Partial<EtcdMember> = {}) =>
      member(index, { name: `etcd-${index}`, ...changes });
    const dead = { healthy: false } as const;
    const apart = { etcd: ['etcd-1', 'etcd-2', 'etcd-3'] } as const;
    const lost = { ...apart, members: { seen: [of(1), of(2, dead), of(3, dead)] } };
    expect(found(lost, 'EtcdHealthy')?.remedy).toBe(
      'Bring the machines back that do not answer; remove none of them meanwhile.',
    );
    const nobody = { apiServers: {} };
    expect(found({ ...apart, ...nobody }, 'ApiServerHealthy')?.remedy).toContain(
      'then at kube-apiserver on them and at etcd on etcd-1, etcd-2, etcd-3.',
    );
    expect(found(nobody, 'ApiServerHealthy')?.remedy).toContain('then at kube-apiserver and etcd on them.');
    expect(found(apart, 'DiskSpace')?.message).toContain('each master and each machine of etcd has more');
    expect(found({ ...apart, certificates: { seen: [] } }, 'CertificatesValid')?.message).toBe(
      'No certificate was found on the masters and the machines of etcd.',
    );
  });

  test('certificates: 30 days are a warning, 7 critical, and the text changes only with the end itself', () => {
    const endingIn = (days: number) =>
      found(
        { certificates: { seen: [{ machine: 'cp-1', name: 'a', notAfter: inDays(days) }] } },
        'CertificatesValid',
      );
    assert(
      property(integer({ min: -400, max: 400 }), (days) => {
        const condition = endingIn(days);
        if (days > 30) expect(condition?.status).toBe('True');
        else expect(condition?.severity).toBe(days <= 7 ? 'critical' : 'warning');
        expect(condition?.reason === 'Expired').toBe(days <= 0);
      }),
    );
    const certificates = { seen: [{ machine: 'cp-1', name: 'a', notAfter: inDays(300) }] };
    const later = found({ certificates, at: inDays(1) }, 'CertificatesValid');
    expect(later).toEqual(found({ certificates }, 'CertificatesValid'));
  });

  test('versions and missing nodes are no illness while an operation works on the cluster', () => {
    const apiServers = { 'cp-1': 'v1.20.3', 'cp-2': 'v1.20.2', 'cp-3': 'v1.20.2' };
    expect(found({ apiServers }, 'VersionsAligned')).toMatchObject({ status: 'False', machine: 'cp-1' });
    expect(found({ apiServers, isChanging: true }, 'VersionsAligned')?.status).toBe('True');
    expect(found({ expected: [...well.expected, 'w-2'] }, 'NodesReady')).toMatchObject({
      reason: 'NodesMissing',
    });
    const restamped = { 'cp-1': 'v1.20.2-restamped', 'cp-2': 'v1.20.2+vendor', 'cp-3': 'v1.20.2' };
    expect(found({ apiServers: restamped }, 'VersionsAligned')?.status).toBe('True');
  });

  test('the address is silent, one master is, all are: warning or critical as the cluster can work or not', () => {
    const endpoint = { address: '10.0.0.100:6443', isAnswering: false };
    expect(found({ endpoint }, 'ApiServerHealthy')).toMatchObject({
      reason: 'EndpointSilent',
      severity: 'critical',
    });
    const one = { ...well.apiServers, 'cp-2': undefined };
    expect(found({ apiServers: one }, 'ApiServerHealthy')).toMatchObject({
      severity: 'warning',
      machine: 'cp-2',
    });
    expect(found({ apiServers: {} }, 'ApiServerHealthy')).toMatchObject({ reason: 'NoneAnswers' });
  });

  test('disk: etcd near its quota and full file systems, each with the machine', () => {
    const near = { seen: [member(1, { dbSize: 1.7 * 1024 ** 3 }), member(2), member(3)] };
    expect(found({ members: near }, 'DiskSpace')).toMatchObject({ reason: 'EtcdNearQuota', machine: 'cp-1' });
    const roomy = { seen: [member(1, { dbSize: 1.7 * 1024 ** 3, dbQuota: 8 * 1024 ** 3 })] };
    expect(found({ members: roomy }, 'DiskSpace')?.status).toBe('True');
    const disks = { seen: { 'cp-1': { '/': 60e9 }, 'cp-2': { '/': 60e9, '/var/lib/etcd': 5e8 } } };
    expect(found({ disks }, 'DiskSpace')).toMatchObject({ severity: 'critical', machine: 'cp-2' });
  });
});

describe('agents of other releases (the protocol is additive)', () => {
  test('what a newer agent tells beside is left out, and the rest is taken', () => {
    const known = { ...conditionsOf(well)[0], since: at };
    assert(
      property(constantFrom('GpuHealthy', 'NodesReady'), (type) => {
        const told = {
          epoch: 1,
          cluster: 'u',
          at,
          conditions: [known, { ...known, type, extra: 1 }],
          numbers: { gpus: 4, nodesReady: 2 },
        };
        const read = healthSchema.parse(told);
        expect(read.conditions.map((one) => one.type)).toEqual(
          type === 'NodesReady' ? ['ApiServerHealthy', 'NodesReady'] : ['ApiServerHealthy'],
        );
        expect(read.numbers).toEqual({ nodesReady: 2 });
      }),
    );
  });
});
