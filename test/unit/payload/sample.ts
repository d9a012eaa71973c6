import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { manifestBytes, type PayloadManifest } from '../../../provisioners/payload/manifest.ts';
import { keyId, type SigningKey, signManifest } from '../../../provisioners/payload/signature.ts';

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'remuda-payload-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

export function newKey(owner: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { id: keyId(publicKey), owner, key: publicKey, privateKey };
}

/** The contents of the sample's parts. */
export const PARTS = {
  'files/kubeadm': 'the kubeadm binary',
  'files/kubectl': 'the kubectl binary',
  'files/cni-plugins.tar': 'plug-ins',
  'images/pause-3.2.tar': 'the pause image, a little longer than the rest',
  'images/etcd-3.4.13-0.tar': 'the etcd image',
  'images/dns-1.tar': 'an add-on',
} as const;

/** A small payload that means nothing; every part is real bytes with real digests. */
export function sampleManifest(sequence = 7): PayloadManifest {
  const part = (path: keyof typeof PARTS) => ({ size: PARTS[path].length, sha256: sha256(PARTS[path]) });
  const file = { mode: '0755', origin: 'a sample' };
  const image = {
    digest: `sha256:${'a'.repeat(64)}`,
    configDigest: `sha256:${'b'.repeat(64)}`,
    origin: 'a sample',
  };
  return {
    schema: 'remuda.dev/payload/v1',
    name: 'kubernetes-v1.20.2-lab',
    kubernetes: 'v1.20.2',
    flavour: 'lab',
    provenance: 'A sample that no machine was ever made of.',
    platform: { os: 'linux', arch: 'amd64' },
    sequence,
    built: '2026-11-21T05:00:00.000Z',
    contentKey: 'c'.repeat(64),
    files: [
      {
        path: 'files/kubeadm',
        role: 'kubeadm',
        kind: 'file',
        install: '/usr/local/bin/kubeadm',
        for: 'all',
        ...file,
        ...part('files/kubeadm'),
      },
      {
        path: 'files/kubectl',
        role: 'kubectl',
        kind: 'file',
        install: '/usr/local/bin/kubectl',
        for: 'control-plane',
        ...file,
        ...part('files/kubectl'),
      },
      {
        path: 'files/cni-plugins.tar',
        role: 'cni-plugins',
        kind: 'tar',
        install: '/opt/cni/bin',
        for: 'all',
        ...file,
        ...part('files/cni-plugins.tar'),
      },
    ],
    images: [
      {
        reference: 'k8s.gcr.io/pause:3.2',
        archive: 'images/pause-3.2.tar',
        for: 'all',
        ...image,
        ...part('images/pause-3.2.tar'),
      },
      {
        reference: 'k8s.gcr.io/etcd:3.4.13-0',
        archive: 'images/etcd-3.4.13-0.tar',
        for: 'control-plane',
        ...image,
        ...part('images/etcd-3.4.13-0.tar'),
      },
      {
        reference: 'remuda.dev/lab/dns:1',
        archive: 'images/dns-1.tar',
        for: 'addon:dns',
        ...image,
        ...part('images/dns-1.tar'),
      },
    ],
  };
}

/** Writes the sample, signed, and returns its folder. */
export async function writeSample(key: SigningKey, sequence?: number): Promise<string> {
  const folder = join(await temporaryFolder(), 'payload');
  for (const name of ['files', 'images']) await mkdir(join(folder, name), { recursive: true });
  for (const [path, text] of Object.entries(PARTS)) await writeFile(join(folder, path), text);
  const bytes = manifestBytes(sampleManifest(sequence));
  await writeFile(join(folder, 'manifest.json'), bytes);
  await writeFile(join(folder, 'manifest.json.sig'), signManifest(bytes, key));
  return folder;
}
