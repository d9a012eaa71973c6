import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { payloadCache } from '../../../provisioners/payload/cache.ts';
import { findPayload } from '../../../provisioners/payload/catalogue.ts';
import { fetchPayload, type FetchOptions } from '../../../provisioners/payload/fetch.ts';
import { localSigningKey } from '../../../provisioners/payload/signature.ts';
import { verifyPayload } from '../../../provisioners/payload/verify.ts';
import { temporaryFolder } from '../../unit/payload/sample.ts';
import { type Misbehaviour, startUpstreamStandIn, type UpstreamStandIn } from './upstream-stand-in.ts';
import { probeImage } from '../../../provisioners/kubernetes/versions.ts';

let upstream: UpstreamStandIn;
beforeEach(async () => {
  upstream = await startUpstreamStandIn();
});
afterEach(() => upstream[Symbol.asyncDispose]());

const KUBELET = '/release/v1.37.1/bin/linux/amd64/kubelet';

function options(cacheRoot: string): FetchOptions {
  return {
    version: '1.37.1',
    cacheRoot,
    sources: upstream.sources,
    releases: [upstream.release],
    patience: { attempts: 4, firstPause: 5, longestPause: 50 },
    isLoopbackAllowed: true,
  };
}

const times = (count: number, one: Misbehaviour): Misbehaviour[] => Array.from({ length: count }, () => one);

const requestsFor = (path: string): readonly string[] => upstream.seen.filter((one) => one.includes(path));

test('a release becomes a signed payload that verifies and is found by its version', async () => {
  const cacheRoot = await temporaryFolder();
  const fetched = await fetchPayload(options(cacheRoot));
  expect(fetched.manifest).toMatchObject({ name: 'kubernetes-v1.37.1-upstream', flavour: 'upstream' });
  expect(fetched.manifest.files.map((file) => file.role)).toEqual(
    expect.arrayContaining(['kubeadm', 'kubelet', 'kubectl', 'containerd', 'runc', 'cni-plugins', 'crictl']),
  );
  expect(fetched.manifest.images.map((image) => image.reference)).toContain(
    'registry.k8s.io/coredns/coredns:v1.14.0',
  );
  // The final proof runs on every machine, from an image that was fetched with the rest (complaint 14).
  expect(fetched.manifest.images).toContainEqual(
    expect.objectContaining({ reference: probeImage('1.37.1'), for: 'all' }),
  );
  const key = await localSigningKey(payloadCache(cacheRoot).signingKey);
  const found = await findPayload(payloadCache(cacheRoot), [key], '1.37.1');
  expect(found).toMatchObject({ folder: fetched.folder, digest: fetched.digest });
  expect(found.verifiedAt).not.toBeNull();
  const verification = await verifyPayload({
    folder: fetched.folder,
    trusted: [key],
    acceptedSequence: () => 0,
  });
  expect(verification.isIntact).toBe(true);
  // GNU tar reads the archives we write, and their blobs are named by what they hold.
  for (const image of fetched.manifest.images) {
    const names = execFileSync('tar', ['-tf', join(fetched.folder, image.archive)], { encoding: 'utf8' });
    expect(names).toContain(`blobs/sha256/${image.digest.slice(7)}`);
    expect(names).toContain(`blobs/sha256/${image.configDigest.slice(7)}`);
  }
});

test('a second fetch asks upstream for nothing', async () => {
  const cacheRoot = await temporaryFolder();
  const first = await fetchPayload(options(cacheRoot));
  const asked = upstream.seen.length;
  const second = await fetchPayload(options(cacheRoot));
  expect(second).toMatchObject({ folder: first.folder, isReused: true });
  expect(upstream.seen).toHaveLength(asked);
});

test('a payload that was damaged in the cache is noticed and made again', async () => {
  const cacheRoot = await temporaryFolder();
  const { folder } = await fetchPayload(options(cacheRoot));
  await appendFile(join(folder, 'files/kubelet'), 'x');
  const again = await fetchPayload(options(cacheRoot));
  expect(again.isReused).toBe(false);
  expect((await stat(join(again.folder, 'files/kubelet'))).size).toBe(3 * 1024 * 1024);
});

describe('a bad line', () => {
  test('a download that breaks off goes on where it stopped', async () => {
    upstream.misbehaviours.set(KUBELET, [
      { kind: 'break', after: 1_000_000 },
      { kind: 'break', after: 500_000 },
    ]);
    await fetchPayload(options(await temporaryFolder()));
    const asked = requestsFor(KUBELET);
    expect(asked).toHaveLength(3);
    expect(asked[1]).toMatch(/ bytes=[1-9]\d*-$/);
  });

  test('a source that ignores ranges is read from the first byte again', async () => {
    upstream.doesRanges = false;
    upstream.misbehaviours.set(KUBELET, [{ kind: 'break', after: 1_000_000 }]);
    const { folder } = await fetchPayload(options(await temporaryFolder()));
    expect((await stat(join(folder, 'files/kubelet'))).size).toBe(3 * 1024 * 1024);
  });

  test('what an earlier run spoilt on our disk is thrown away, not blamed on the source', async () => {
    const cacheRoot = await temporaryFolder();
    const { downloads } = payloadCache(cacheRoot);
    upstream.misbehaviours.set(KUBELET, times(4, { kind: 'break', after: 100_000 }));
    await expect(fetchPayload(options(cacheRoot))).rejects.toMatchObject({ report: { kind: 'transient' } });
    const partial = (await readdir(downloads)).find((name) => name.endsWith('.part')) ?? '';
    await writeFile(join(downloads, partial), Buffer.alloc(50_000));
    await fetchPayload(options(cacheRoot));
  });

  test('503 and 429 are waited out; a lasting one ends as something that may pass', async () => {
    upstream.misbehaviours.set(KUBELET, [
      { kind: 'status', status: 503 },
      { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    ]);
    await fetchPayload(options(await temporaryFolder()));
    expect(requestsFor(KUBELET)).toHaveLength(3);
    upstream.misbehaviours.set(KUBELET, times(4, { kind: 'status', status: 503 }));
    const failing = fetchPayload(options(await temporaryFolder()));
    await expect(failing).rejects.toMatchObject({ report: { kind: 'transient', code: 'PAYLOAD-036' } });
  });

  test('a fetch killed in the middle resumes in the next process', async () => {
    const cacheRoot = await temporaryFolder();
    const script = join(cacheRoot, 'fetch.ts');
    await writeFile(join(cacheRoot, 'options.json'), JSON.stringify(options(cacheRoot)));
    await writeFile(
      script,
      `import { readFileSync } from 'node:fs';
       import { fetchPayload } from ${JSON.stringify(join(import.meta.dirname, '../../../provisioners/payload/fetch.ts'))};
       await fetchPayload({ ...JSON.parse(readFileSync(${JSON.stringify(join(cacheRoot, 'options.json'))}, 'utf8')),
         onProgress: (one) => { if (one.done >= 3) process.kill(process.pid, 'SIGKILL'); } });`,
    );
    const killed = spawn(process.execPath, [script], { stdio: 'ignore' });
    const [, signal] = (await once(killed, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    const before = requestsFor(KUBELET).length;
    const { isReused, folder } = await fetchPayload(options(cacheRoot));
    expect(isReused).toBe(false);
    expect(requestsFor(KUBELET)).toHaveLength(before);
    // Nothing half-made stays beside the finished payload.
    expect(await readdir(payloadCache(cacheRoot).payloads)).toEqual([folder.split('/').at(-1)]);
  });
});

describe('a source that is not honest (complaint 14, DESIGN §8)', () => {
  test('other contents than reviewed are refused by name and leave nothing behind', async () => {
    const cacheRoot = await temporaryFolder();
    const good = upstream.contents.get(KUBELET) ?? Buffer.alloc(0);
    const bad = Buffer.from(good);
    bad[1_500_000] = (bad[1_500_000] ?? 0) ^ 1;
    upstream.contents.set(KUBELET, bad);
    const failing = fetchPayload(options(cacheRoot));
    await expect(failing).rejects.toMatchObject({
      report: { kind: 'user', code: 'PAYLOAD-043', value: expect.stringContaining(KUBELET) as string },
    });
    // Asked once: a lie is not retried.
    expect(requestsFor(KUBELET)).toHaveLength(1);
    const { payloads, downloads } = payloadCache(cacheRoot);
    expect((await readdir(payloads)).filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(await readdir(downloads)).not.toContain(`sha256-${upstream.release.kubelet}`);
  });

  test('an endless body is cut off', async () => {
    const path = [...upstream.contents.keys()].find((one) => one.includes('/v2/pause/blobs/')) ?? '';
    upstream.contents.set(path, Buffer.alloc(1 << 20));
    await expect(fetchPayload(options(await temporaryFolder()))).rejects.toMatchObject({
      report: { code: 'PAYLOAD-043', summary: expect.stringContaining('larger than') as string },
    });
  });

  test('an image manifest that was swapped is refused', async () => {
    const digest = upstream.release.images[0]?.digest ?? '';
    upstream.contents.set(`/v2/kube-apiserver/manifests/${digest}`, Buffer.from('{"manifests":[]}'));
    await expect(fetchPayload(options(await temporaryFolder()))).rejects.toMatchObject({
      report: { code: 'PAYLOAD-043' },
    });
  });

  test('a redirect to another host, and one that leaves TLS, are refused', async () => {
    upstream.misbehaviours.set(KUBELET, [
      { kind: 'redirect', to: 'https://localhost:1/kubelet' },
      { kind: 'redirect', to: `${upstream.url.replace('https:', 'http:')}/kubelet` },
    ]);
    for (const code of ['PAYLOAD-033', 'PAYLOAD-032']) {
      await expect(fetchPayload(options(await temporaryFolder()))).rejects.toMatchObject({
        report: { kind: 'user', code },
      });
    }
  });

  test('a redirect within the source is followed, one in circles is not', async () => {
    const bytes = upstream.contents.get(KUBELET) ?? Buffer.alloc(0);
    upstream.contents.set('/moved/kubelet', bytes);
    upstream.misbehaviours.set(KUBELET, [{ kind: 'redirect', to: '/moved/kubelet' }]);
    await fetchPayload(options(await temporaryFolder()));
    upstream.misbehaviours.set(KUBELET, times(9, { kind: 'redirect', to: KUBELET }));
    await expect(fetchPayload(options(await temporaryFolder()))).rejects.toMatchObject({
      report: { code: 'PAYLOAD-031' },
    });
  });

  test('loopback is refused unless a test allows it, and a stranger’s certificate always', async () => {
    const { isLoopbackAllowed: _, ...strict } = options(await temporaryFolder());
    await expect(fetchPayload(strict)).rejects.toMatchObject({ report: { code: 'PAYLOAD-034' } });
    const { certificateAuthorities: __, ...unknown } = upstream.sources;
    const untrusted = { ...options(await temporaryFolder()), sources: unknown };
    await expect(fetchPayload(untrusted)).rejects.toMatchObject({ report: { code: 'PAYLOAD-035' } });
    expect(upstream.seen).toEqual([]);
  });

  test('a version without reviewed digests is refused before anything is asked', async () => {
    const unreviewed = { ...options(await temporaryFolder()), version: '1.37.2' };
    await expect(fetchPayload(unreviewed)).rejects.toMatchObject({
      report: { kind: 'user', code: 'PAYLOAD-030', remedy: expect.stringContaining('v1.37.1') as string },
    });
    expect(upstream.seen).toEqual([]);
  });
});

test('the registry is asked for a pull token only, and again when it has run out', async () => {
  const digest = upstream.release.images[2]?.digest ?? '';
  const path = `/v2/pause/manifests/${digest}`;
  upstream.misbehaviours.set('/token', [{ kind: 'status', status: 503 }]);
  await fetchPayload(options(await temporaryFolder()));
  expect(requestsFor('/token').every((one) => one.endsWith('%3Apull'))).toBe(true);
  expect(requestsFor(path).at(-1)).toContain('Bearer stand-in-token');
  // Upstream's file servers never see the registry's token.
  expect(requestsFor('/release/').some((one) => one.includes('Bearer'))).toBe(false);
});

test('a fetch can be stopped and says so', async () => {
  const stop = new AbortController();
  const cacheRoot = await temporaryFolder();
  const failing = fetchPayload({
    ...options(cacheRoot),
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(failing).rejects.toMatchObject({ name: 'AbortError' });
  // The lock is free again.
  await fetchPayload(options(cacheRoot));
  expect(await readFile(payloadCache(cacheRoot).lock, 'utf8')).toBe('');
});
