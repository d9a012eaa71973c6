import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, integer, nat, option, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labImages, LAB_FILES, labPackages } from '../../../provisioners/payload/lab-recipe.ts';
import { addonImages } from '../../../provisioners/payload/addon-recipe.ts';
import { releaseFor, REVIEWED_RELEASES } from '../../../provisioners/payload/digests.ts';
import { installList } from '../../../provisioners/payload/install-list.ts';
import { parseRange } from '../../../provisioners/payload/range.ts';
import { localSigningKey, localTrust } from '../../../provisioners/payload/signature.ts';
import { writeTar } from '../../../provisioners/payload/tar.ts';
import { isForbiddenAddress } from '../../../provisioners/payload/transport.ts';
import { sampleManifest, sha256, temporaryFolder } from './sample.ts';

describe('what a machine is told to fetch', () => {
  const digest = 'd'.repeat(64);

  test('a worker gets no control-plane part, a master all, add-ons only those that were named', () => {
    const worker = installList(sampleManifest(), digest, 'worker', []);
    expect(worker.files.map((file) => file.role)).toEqual(['kubeadm', 'cni-plugins']);
    expect(worker.images.map((image) => image.reference)).toEqual(['k8s.gcr.io/pause:3.2']);
    const master = installList(sampleManifest(), digest, 'control-plane', ['dns']);
    expect(master.files).toHaveLength(3);
    expect(master.images.map((image) => image.reference)).toContain('remuda.dev/lab/dns:1');
    expect(installList(sampleManifest(), digest, 'worker', ['other']).images).toHaveLength(1);
    expect(master.size).toBe([...master.files, ...master.images].reduce((sum, part) => sum + part.size, 0));
  });

  test('URLs carry the digest of the manifest, so that two builds of one name never mix', () => {
    const [first] = installList(sampleManifest(), digest, 'worker', []).files;
    expect(first?.url).toBe(`/payloads/${digest}/files/kubeadm`);
  });
});

test('a byte range lies inside the file, whatever was asked', () => {
  assert(
    property(
      string(),
      option(nat(300)),
      option(nat(300)),
      integer({ min: 1, max: 200 }),
      (junk, a, b, size) => {
        for (const header of [`bytes=${a ?? ''}-${b ?? ''}`, junk]) {
          const range = parseRange(header, size);
          if (range === null || range === 'unsatisfiable') continue;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeLessThan(size);
          expect(range.start).toBeLessThanOrEqual(range.end);
        }
      },
    ),
  );
  expect(parseRange('bytes=5-', 10)).toEqual({ start: 5, end: 9 });
  expect(parseRange('bytes=-3', 10)).toEqual({ start: 7, end: 9 });
  expect(parseRange('bytes=10-', 10)).toBe('unsatisfiable');
  expect(parseRange('bytes=0-1,4-5', 10)).toBeNull();
});

test.each([
  '127.0.0.1',
  '::1',
  '169.254.169.254',
  'fe80::1',
  '::ffff:127.0.0.1',
  '0.0.0.0',
  'fd00:ec2::254',
  '224.0.0.1',
])('the address %s is never asked for a payload (DESIGN §8)', (address) =>
  expect(isForbiddenAddress(address, false)).toBe(true),
);

test.each(['10.20.0.5', '192.168.1.1', '93.184.216.34', '2a00:1450::1', 'fd12::1'])(
  'a mirror may have the address %s, private ones included',
  (address) => expect(isForbiddenAddress(address, false)).toBe(false),
);

describe('the table of reviewed digests', () => {
  test('a version nobody has reviewed is refused, with what to do', () => {
    expect(() => releaseFor(REVIEWED_RELEASES, '1.37.1', 'amd64')).toThrow(
      /Nobody has reviewed the digests of Kubernetes v1\.37\.1/,
    );
  });

  test('every row that exists is complete', () => {
    for (const row of REVIEWED_RELEASES)
      expect(releaseFor(REVIEWED_RELEASES, row.kubernetes, row.arch)).toEqual(row);
  });
});

describe('the lab recipe', () => {
  test('holds what kubeadm 1.20 asks for, and says of every stand-in that it is one', () => {
    const images = labImages('v1.20.2');
    const names = [
      'kube-apiserver:v1.20.2',
      'kube-controller-manager:v1.20.2',
      'kube-scheduler:v1.20.2',
      'kube-proxy:v1.20.2',
      'pause:3.2',
      'etcd:3.4.13-0',
      'coredns:1.7.0',
    ];
    expect(images.map((image) => image.reference)).toEqual(
      expect.arrayContaining(names.map((name) => `k8s.gcr.io/${name}`)),
    );
    expect(images.find((image) => image.reference.includes('coredns'))?.origin).toMatch(/PLACEHOLDER/);
    expect(new Set(LAB_FILES.map((file) => file.install)).size).toBe(LAB_FILES.length);
    expect(labPackages(images)).toContain('containernetworking-plugins');
  });

  test('add-ons of this repository bring recipes that can be read', async () => {
    const images = await addonImages();
    for (const image of images) {
      expect(image.for).toMatch(/^addon:/);
      for (const source of Object.keys(image.files)) expect((await stat(source)).isFile()).toBe(true);
    }
  });
});

test('the same entries make the same archive, byte for byte', async () => {
  const folder = await temporaryFolder();
  const entries = [
    { path: 'etc', type: 'folder', mode: 0o755 },
    { path: 'etc/motd', type: 'text', text: 'hello', mode: 0o644 },
    { path: 'bin', type: 'link', target: 'usr/bin' },
  ] as const;
  const one = await writeTar(join(folder, 'one.tar'), entries, 1_700_000_000);
  const two = await writeTar(join(folder, 'two.tar'), entries, 1_700_000_000);
  expect(one).toEqual(two);
  const bytes = await readFile(join(folder, 'one.tar'));
  expect(one).toEqual({ sha256: sha256(bytes), size: bytes.length });
});

test('the local signing key is made once, readable by its owner only, and trusted by its public half', async () => {
  const file = join(await temporaryFolder(), 'keys', 'local-build.pem');
  expect(await localTrust(file)).toEqual([]);
  const first = await localSigningKey(file);
  const second = await localSigningKey(file);
  expect(second.id).toBe(first.id);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const [trusted] = await localTrust(file);
  expect(trusted?.id).toBe(first.id);
  expect(trusted?.key.type).toBe('public');
});
