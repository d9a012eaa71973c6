import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isCluster } from '../../../daemon/spec/documents.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { knownProviders, knownSecrets } from './corpus.ts';

const examples = new URL('../../../ui/docs/examples/', import.meta.url);

/** The answer file of DESIGN §3, as written there. */
const design = `apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: dc1 }
spec:
  type: vsphere                     # lab | hosts | vsphere | ec2 | metal
  vsphere:
    server: vcenter.dc1.example
    credentials: { secretRef: dc1-vcenter }
    datacenter: DC1
    cluster: compute-a
    resourcePool: k8s
    datastores: { templates: images, machines: nvme, volumes: capacity }
    network: k8s-nodes
    templates: { folder: remuda, prefix: remuda-node- }   # the version is the cluster's business
---
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: prod-east }
spec:
  provider: dc1
  kubernetes: { version: "1.37.1" }
  controlPlane:
    replicas: 3
    endpoint: { host: 10.20.0.10, port: 6443, exposure: internal }   # VIP, DNS name or cloud balancer
    certSANs: [api.prod-east.example]
    machine: { size: auto }         # by the master table in REQUIREMENTS.md; never below 2 vCPU
    antiAffinity: required
  workers:
    - { name: general, replicas: 5, machine: { cpus: 4, memory: 16Gi, disks: [{ size: 80Gi }] }, labels: {}, taints: [] }
  clusterNetwork: { pods: { cidrBlocks: [10.244.0.0/16] }, services: { cidrBlocks: [10.96.0.0/12] }, serviceDomain: cluster.local }
  nodeNetwork: { ranges: [10.20.1.10-10.20.1.250], prefix: 22, gateway: 10.20.0.1, dns: [10.20.0.2], ntp: [10.20.0.2] }
  addons: { network: { type: cilium }, loadBalancer: { ranges: [10.20.3.0/25] }, gateway: {}, storage: {}, registry: {} }
  proxy: {}                         # with trustedCAs, registryMirrors
  upgrade: { strategy: BlueGreen, maxSurge: 1, maxUnavailable: 0, keep: controlPlane }
  maintenance: { windows: [], minimumReady: 80%, approvals: 1, destroyLimit: 3 }
  deletion: { protected: true, volumes: retain }
`;

const lab = (extra = '', version = '"1.20.2"') => `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: east }
spec:
  provider: lab
  kubernetes: { version: ${version} }
${extra}`;

const secret = `apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata: { name: dc1-vcenter }
stringData: { username: robot, password: canary-5f1c }
`;

describe('parseStream (E2, H5)', () => {
  it.each(readdirSync(examples).filter((name) => name.endsWith('.yaml')))(
    'example %s has no problem',
    (name) => {
      const { problems, documents } = parseStream(readFileSync(new URL(name, examples), 'utf8'), {
        file: name,
        knownProviders: [],
        knownSecrets: [],
      });
      expect(problems).toEqual([]);
      expect(documents.length).toBeGreaterThan(0);
    },
  );

  it('reads the example of DESIGN §3; only what is not built is refused, and said so', () => {
    const { documents, problems } = parseStream(design, { file: 'design.yaml', knownSecrets });
    expect(documents.map(({ document }) => document.kind)).toEqual(['Provider', 'Cluster']);
    expect(problems.map(({ code, place }) => `${code} ${place?.field}`)).toEqual([
      'SPEC-090 spec.addons.network.type',
      'SPEC-090 spec.addons.loadBalancer',
      'SPEC-090 spec.addons.gateway',
      'SPEC-090 spec.addons.storage',
      'SPEC-090 spec.addons.registry',
    ]);
  });

  it('turns sizes into bytes, drops the v of a version, fills defaults', () => {
    const [parsed] = parseStream(
      lab('  workers: [{ name: a, replicas: 1, machine: { cpus: 4, memory: 16Gi } }]\n', 'v1.37.1'),
      { file: 'a.yaml' },
    ).documents;
    if (!parsed || !isCluster(parsed.document)) throw new Error('expected a cluster');
    const { spec } = parsed.document;
    expect(spec.kubernetes.version).toBe('1.37.1');
    expect(spec.workers[0]?.machine.memory).toBe(16 * 2 ** 30);
    expect(spec.controlPlane.replicas).toBe(3);
    expect(spec.clusterNetwork.pods.cidrBlocks).toEqual(['10.244.0.0/16']);
    expect(spec.maintenance.destroyLimit).toBe(3);
  });

  it('gives equal digests to equal meaning: order, comments, defaults and uid do not count', () => {
    const digest = (text: string) => parseStream(text, { file: 'a.yaml' }).documents[0]?.revisionDigest;
    const plain = digest(lab());
    expect(plain).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digest(lab('  controlPlane: { replicas: 3 } # the default\n'))).toBe(plain);
    expect(digest(lab('', 'v1.20.2'))).toBe(plain);
    expect(digest(lab().replace('name: east', 'name: east, uid: 0b1f'))).toBe(plain);
    expect(digest(lab('  controlPlane: { replicas: 5 }\n'))).not.toBe(plain);
  });

  it('takes supported versions as a parameter', () => {
    const problems = parseStream(lab('', '"1.40.0"'), {
      file: 'a.yaml',
      supportedVersions: { minor: ['1.40'] },
    }).problems;
    expect(problems).toEqual([]);
  });

  it('resolves references inside the stream, then in the store, and judges none without a store', () => {
    const alone = lab().replace('provider: lab', 'provider: elsewhere');
    expect(parseStream(alone, { file: 'a.yaml' }).problems).toEqual([]);
    expect(parseStream(alone, { file: 'a.yaml', knownProviders }).problems.map((p) => p.code)).toEqual([
      'SPEC-070',
    ]);
    expect(parseStream(lab(), { file: 'a.yaml', knownProviders }).problems).toEqual([]);
  });

  it('reports everything in the order of the file, with places that survive CRLF and a broken document', () => {
    const text = `a: b: c\n---\n${lab('  controlPlane: { replicas: 4 }\n')}`.replaceAll('\n', '\r\n');
    expect(
      parseStream(text, { file: 'a.yaml' }).problems.map(({ code, place }) => [
        code,
        place?.line,
        place?.column,
      ]),
    ).toEqual([
      ['SPEC-001', 1, 5],
      ['SPEC-041', 9, 29],
    ]);
  });

  it('refuses a text larger than 1 MiB without reading it', () => {
    const { problems } = parseStream(`# ${'x'.repeat(2 ** 20)}`, { file: 'a.yaml' });
    expect(problems.map((problem) => problem.code)).toEqual(['SPEC-004']);
  });
});

describe('secrets of a stream (DESIGN §3, §8)', () => {
  const stream = `${secret}---\n${design}`;

  it('splits them off, bound to the server that the referring document names', () => {
    const { secrets, documents } = parseStream(stream, { file: 'a.yaml' });
    expect(secrets).toEqual([
      {
        name: 'dc1-vcenter',
        data: { username: 'robot', password: 'canary-5f1c' },
        destination: 'vcenter.dc1.example',
        place: expect.objectContaining({ line: 3 }),
      },
    ]);
    expect(documents).toHaveLength(2);
  });

  it('keeps a text without them in which every line has its number', () => {
    const { sanitizedText } = parseStream(stream, { file: 'a.yaml' });
    expect(sanitizedText).not.toContain('canary-5f1c');
    const lines = (text: string) => text.split('\n');
    expect(lines(sanitizedText)).toHaveLength(lines(stream).length);
    const line = lines(stream).findIndex((one) => one.includes('name: prod-east'));
    expect(lines(sanitizedText)[line]).toContain('name: prod-east');
    expect(parseStream(sanitizedText, { file: 'a.yaml' }).documents).toHaveLength(2);
  });

  it('does not take ${X} inside a secret for a forgotten variable', () => {
    const { problems, secrets } = parseStream(secret.replace('canary-5f1c', "'a${b}c'"), { file: 'a.yaml' });
    expect(problems).toEqual([]);
    expect(secrets[0]?.data['password']).toBe('a${b}c');
  });
});
