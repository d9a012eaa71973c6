import { describe, expect, it } from 'vitest';
import { judge } from '../../../provisioners/kubernetes/preflight/findings.ts';
import { minors } from '../../../provisioners/kubernetes/versions.ts';
import type { HostFacts } from '../../../provisioners/contract/preflight.ts';
import {
  checks,
  hostChecks,
  meshChecks,
  payloadChecks,
} from '../../../provisioners/kubernetes/preflight/catalogue.ts';
import {
  findingOf,
  type Mesh,
  type Subject,
  type Supplies,
  type Verdict,
} from '../../../provisioners/kubernetes/preflight/check.ts';

const gibibyte = 1024 ** 3;

const facts: HostFacts = {
  hostname: 'lab-cp-1',
  machineId: 'a1',
  operatingSystem: { id: 'debian', version: '12' },
  architecture: 'x86_64',
  cpus: 2,
  memory: 4 * gibibyte,
  swap: 0,
  kernel: '6.1.0-18-amd64',
  cgroupVersion: 1,
  cgroupControllers: ['cpu', 'cpuset', 'memory', 'pids'],
  kernelFeatures: { overlay: true, brNetfilter: true, ipForward: true },
  freeDisk: { '/var/lib': 40 * gibibyte },
  clock: 1_000_000,
  clockUncertainty: 0.01,
  listeningPorts: [{ port: 22, process: 'sshd' }],
  addresses: [{ interface: 'eth0', cidr: '10.77.0.11/24', mtu: 1500 }],
  routes: [
    { destination: 'default', via: '10.77.0.1', interface: 'eth0' },
    { destination: '10.77.0.0/24', interface: 'eth0' },
  ],
  tools: {
    conntrack: true,
    curl: true,
    ip: true,
    iptables: true,
    mount: true,
    socat: true,
    flock: true,
    haproxy: true,
    ping: true,
    perl: true,
    ss: true,
    'systemd-run': true,
    tar: true,
    keepalived: true,
  },
  leftovers: [],
  declared: {},
};

const good: Subject = {
  facts,
  disk: { fsyncP99: 2.5, samples: 200 },
  expected: {
    cluster: { uid: 'u1', name: 'lab' },
    role: 'control-plane',
    minor: '1.20',
    name: 'lab-cp-1',
    address: '10.77.0.11',
    ports: [6444, 2379, 2380, 10250],
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    virtualAddress: '10.77.0.100',
  },
};

const second: Subject = {
  ...good,
  facts: {
    ...facts,
    hostname: 'lab-cp-2',
    machineId: 'a2',
    addresses: [{ interface: 'eth0', cidr: '10.77.0.12/24', mtu: 1500 }],
  },
  expected: { ...good.expected, name: 'lab-cp-2', address: '10.77.0.12' },
};

const mesh: Mesh = {
  subjects: [good, second],
  reaches: {
    'lab-cp-1': [
      { to: '10.77.0.12', reachable: true, mtu: 1500 },
      { to: '10.77.0.100', reachable: false, mtu: 0 },
    ],
    'lab-cp-2': [{ to: '10.77.0.11', reachable: true, mtu: 1500 }],
  },
};

const supplies: Supplies = {
  kubernetesVersion: '1.20.2',
  payload: {
    name: 'kubernetes-v1.20.2-lab',
    kubernetesVersion: 'v1.20.2',
    flavour: 'lab',
    images: ['a:1', 'b:1'],
    digest: 'f00dfeedf00dfeed',
  },
  wantedImages: ['a:1', 'b:1'],
};

const withFacts = (change: Partial<HostFacts>): Subject => ({ ...good, facts: { ...facts, ...change } });
const withExpected = (change: Partial<Subject['expected']>): Subject => ({
  ...good,
  expected: { ...good.expected, ...change },
});

/** For every check: something it must refuse, and words that must stand in what it says. */
const refused: Readonly<Record<string, readonly (readonly [Subject | Mesh | Supplies, RegExp])[]>> = {
  'PAYLOAD-ON-BOARD': [
    [{ kubernetesVersion: '1.36.0', wantedImages: [] }, /no payload for Kubernetes 1\.36\.0 is on board/],
  ],
  'PAYLOAD-DIGESTS': [
    [{ kubernetesVersion: '1.20.2', wantedImages: [], damage: 'kubeadm is another' }, /kubeadm is another/],
  ],
  'PAYLOAD-IMAGES': [[{ ...supplies, wantedImages: ['a:1', 'c:1'] }, /not in the payload: c:1/]],
  'HOST-CPU': [[withFacts({ cpus: 1 }), /1 CPU, and a control-plane machine needs 2/]],
  'HOST-MEMORY': [[withFacts({ memory: gibibyte }), /1\.0 GiB.*needs 1\.7 GiB/]],
  'HOST-DISK': [[withFacts({ freeDisk: { '/var/lib': gibibyte } }), /only 1\.0 GiB free at \/var\/lib/]],
  'HOST-DISK-LATENCY': [
    [{ ...good, disk: { fsyncP99: 48.2, samples: 200 } }, /48\.2 ms/],
    [{ facts: good.facts, expected: good.expected }, /not measured/],
  ],
  'HOST-KERNEL': [[withFacts({ kernel: '3.10.0-1160' }), /3\.10\.0-1160 is older than 4\.19/]],
  'HOST-KERNEL-FEATURES': [
    [withFacts({ kernelFeatures: { overlay: true, brNetfilter: false, ipForward: true } }), /br_netfilter/],
  ],
  'HOST-CGROUPS': [
    [withExpected({ minor: '1.35' }), /version 1, which Kubernetes 1\.35 refuses/],
    [withFacts({ cgroupControllers: ['cpu'] }), /cpuset, memory, pids/],
  ],
  'HOST-SWAP': [[withFacts({ swap: 2 * gibibyte }), /2\.0 GiB of swap are on/]],
  'HOST-OS': [[withFacts({ operatingSystem: { id: 'centos', version: '7' } }), /centos 7/]],
  'HOST-TOOLS': [
    [withFacts({ tools: { ...facts.tools, conntrack: false, keepalived: false } }), /conntrack, keepalived/],
    [withFacts({ tools: { ...facts.tools, ping: false, ss: false } }), /missing: ping, ss/],
  ],
  'HOST-NAME': [[withExpected({ name: 'Lab_CP_1' }), /"Lab_CP_1" is no host name/]],
  'HOST-PORTS': [
    [withFacts({ listeningPorts: [{ port: 2379, process: 'etcd' }] }), /port 2379 is taken by etcd/],
  ],
  'HOST-LEFTOVERS': [
    [withFacts({ leftovers: ['/var/lib/etcd/member'] }), /\/var\/lib\/etcd\/member/],
    [withFacts({ ownedBy: 'u2', leftovers: [] }), /another cluster of Remuda \(uid u2\)/],
  ],
  'HOST-ADDRESS': [[withExpected({ address: '10.77.0.99' }), /has 10\.77\.0\.11, not 10\.77\.0\.99/]],
  'NET-ROUTES': [
    [
      withExpected({ podCidr: '10.76.0.0/15' }),
      /pods 10\.76\.0\.0\/15 overlaps the route to 10\.77\.0\.0\/24/,
    ],
  ],
  'NET-VIP': [
    [
      {
        ...mesh,
        reaches: { ...mesh.reaches, 'lab-cp-2': [{ to: '10.77.0.100', reachable: true, mtu: 1500 }] },
      },
      /already answers \(seen from lab-cp-2\)/,
    ],
    // Its holder drops pings, and answers for its address on the link all the same.
    [
      {
        ...mesh,
        reaches: { 'lab-cp-1': [{ to: '10.77.0.100', reachable: false, mtu: 0, neighbour: true }] },
      },
      /already answers \(seen from lab-cp-1\)/,
    ],
  ],
  'NET-UNIQUE': [
    [
      { ...mesh, subjects: [good, { ...second, facts: { ...second.facts, machineId: 'a1' } }] },
      /lab-cp-1, lab-cp-2 share the machine id a1/,
    ],
  ],
  'NET-ALIKE': [
    [
      { ...mesh, subjects: [good, { ...second, facts: { ...second.facts, cgroupVersion: 2 } }] },
      /lab-cp-1: control groups version 1 by systemd; lab-cp-2: control groups version 2 by systemd/,
    ],
    [
      {
        ...mesh,
        subjects: [good, { ...second, facts: { ...second.facts, declared: { cgroupDriver: 'cgroupfs' } } }],
      },
      /lab-cp-2: control groups version 1 by cgroupfs/,
    ],
  ],
  'NET-CLOCK': [
    [
      { ...mesh, subjects: [good, { ...second, facts: { ...second.facts, clock: 1_000_030 } }] },
      /29\.98 s between lab-cp-2 and lab-cp-1/,
    ],
  ],
  'NET-REACH': [
    [
      { ...mesh, reaches: { 'lab-cp-1': [{ to: '10.77.0.12', reachable: false, mtu: 0 }] } },
      /lab-cp-1 does not reach lab-cp-2/,
    ],
  ],
  'NET-MTU': [
    [
      {
        ...mesh,
        reaches: {
          'lab-cp-1': [{ to: '10.77.0.12', reachable: true, mtu: 1400 }],
          'lab-cp-2': [{ to: '10.77.0.11', reachable: true, mtu: 1500 }],
        },
      },
      /1400 bytes from lab-cp-1 to 10\.77\.0\.12, 1500 elsewhere/,
    ],
  ],
};

/** Runs a check of either scope on what it is about. */
function evaluate(id: string, about: Subject | Mesh | Supplies): Verdict {
  const host = hostChecks.find((check) => check.id === id);
  if (host !== undefined) return host.evaluate(about as Subject);
  const stock = payloadChecks.find((check) => check.id === id);
  if (stock !== undefined) return stock.evaluate(about as Supplies);
  const between = meshChecks.find((check) => check.id === id);
  if (between === undefined) throw new Error(`no check ${id}`);
  return between.evaluate(about as Mesh);
}

describe('preflight catalogue (H5, complaint 15)', () => {
  it('has some twenty checks with unique ids, each saying which failure it prevents', () => {
    expect(checks.length).toBeGreaterThanOrEqual(20);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const check of checks) expect(check.prevents.length, check.id).toBeGreaterThan(30);
  });

  it('has a failing case for every check', () => {
    expect(Object.keys(refused).sort()).toEqual(checks.map(({ id }) => id).sort());
  });

  it.each(checks.map(({ id, scope }) => [id, scope] as const))('%s passes a good machine', (id, scope) => {
    const verdict = evaluate(id, { host: good, mesh, payload: supplies }[scope]);
    expect(verdict).toMatchObject({ passed: true });
    expect(verdict.saw).not.toBe('');
  });

  const cases = Object.entries(refused).flatMap(([id, list]) =>
    list.map(([about, words]) => [id, words, about] as const),
  );
  it.each(cases)('%s refuses and says %s, with a remedy', (id, words, about) => {
    const verdict = evaluate(id, about);
    expect(verdict.passed).toBe(false);
    expect(verdict.saw).toMatch(words);
    if (!verdict.passed) expect(verdict.remedy.length).toBeGreaterThan(15);
  });

  it('takes what runs on a machine of this very cluster for its own when an operation goes on (complaint 3)', () => {
    const own = withFacts({
      ownedBy: 'u1',
      leftovers: ['/etc/kubernetes'],
      listeningPorts: [{ port: 6444, process: 'kube-apiserver' }],
    });
    expect(evaluate('HOST-PORTS', own).passed).toBe(true);
    expect(evaluate('HOST-LEFTOVERS', own).passed).toBe(true);
  });

  it('takes the control groups of every version in the table, and no others (README: the lab on both)', () => {
    for (const { minor, cgroupModes } of minors)
      for (const cgroupVersion of [1, 2] as const) {
        const subject = withFacts({ cgroupVersion });
        const verdict = evaluate('HOST-CGROUPS', { ...subject, expected: { ...subject.expected, minor } });
        expect([minor, cgroupVersion, verdict.passed]).toEqual([
          minor,
          cgroupVersion,
          cgroupModes.includes(cgroupVersion),
        ]);
      }
    // A stock Debian 12 has version 2 alone, and that is where scripts/up promises a cluster.
    expect(minors.find(({ audience }) => audience === 'lab')?.cgroupModes).toEqual([1, 2]);
  });

  it('takes the swap of the box for nobody’s in the lab: scripts/up leaves it on', () => {
    const declared = { ignorePreflightErrors: ['Swap'] };
    expect(evaluate('HOST-SWAP', withFacts({ swap: gibibyte, declared }))).toMatchObject({
      passed: true,
      saw: expect.stringContaining('1.0 GiB'),
    });
  });

  it('bypasses only what may be bypassed, and records it', () => {
    for (const check of checks) {
      const finding = findingOf(check, 'x', { passed: false, saw: 'bad', remedy: 'mend' });
      const verdict = judge([finding], [check.id]);
      if (check.severity === 'strict')
        expect(verdict).toMatchObject({ state: 'blocked', why: `x: bad [${check.id}]` });
      else expect(verdict).toMatchObject({ state: 'done', facts: { findings: [{ outcome: 'bypassed' }] } });
    }
  });

  it('names every failed check at once, with each remedy and how to go on all the same', () => {
    const bad = checks
      .slice(0, 4)
      .map((check) =>
        findingOf(check, 'm', { passed: false, saw: `no ${check.id}`, remedy: `mend ${check.id}` }),
      );
    const verdict = judge(bad, []);
    for (const { check } of bad) {
      expect(verdict).toMatchObject({
        why: expect.stringContaining(`no ${check}`),
        remedy: expect.stringContaining(`mend ${check}`),
      });
    }
    expect(verdict).toMatchObject({ remedy: expect.stringContaining('--bypass HOST-CPU') });
  });
});
