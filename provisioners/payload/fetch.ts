import { copyFile, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { seconds } from '../contract/time.ts';
import { assemblePayload, type AssembledPayload } from './assemble.ts';
import { contentKey, type PayloadCache, payloadCache, recipeKey, withBuildLock } from './cache.ts';
import { type DigestTable, releaseFor, REVIEWED_RELEASES, type UpstreamRelease } from './digests.ts';
import { download, PART_LIMIT, type Patience, USUAL_PATIENCE } from './download.ts';
import type { PayloadFile, PayloadImage } from './manifest.ts';
import { type OnProgress, type Stage, StageClock } from './progress.ts';
import { Registry } from './registry.ts';
import type { Transport } from './transport.ts';
import { PUBLIC_UPSTREAM, type UpstreamBase, upstreamFiles, type UpstreamSources } from './upstream.ts';

/** What to fetch, from where. */
export interface FetchOptions {
  /** `v1.37.1` or `1.37.1`. */
  readonly version: string;
  readonly arch?: UpstreamRelease['arch'];
  /** Upstream's public places, unless mirrors are given. */
  readonly sources?: UpstreamSources;
  /** The reviewed table; another one only in tests. */
  readonly releases?: DigestTable;
  readonly cacheRoot?: string;
  readonly patience?: Patience;
  readonly onProgress?: OnProgress;
  readonly onWait?: () => void;
  readonly signal?: AbortSignal;
  /** Only for tests on this machine: sources on loopback are otherwise refused. */
  readonly isLoopbackAllowed?: boolean;
}

/** Times at 100 Mbit/s; each machine's own replace them. */
const STAGES: readonly Stage[] = [
  { name: 'download', what: 'downloading the release', usually: seconds(60) },
  { name: 'verify', what: 'verifying the payload', usually: seconds(5) },
];

/** The name images keep, whatever mirror they came from: kubeadm asks for this one. */
const IMAGE_REGISTRY = 'registry.k8s.io';

/**
 * Fetches an upstream release by reviewed digests and makes a signed payload of it. Interrupt it at any time and
 * repeat: what has arrived is kept by digest, half a file is resumed.
 * Throws UserProblem (not reviewed, not honest, not allowed) or Transient (not reachable now).
 */
export async function fetchPayload(options: FetchOptions): Promise<AssembledPayload> {
  const cache = payloadCache(options.cacheRoot);
  const release = releaseFor(options.releases ?? REVIEWED_RELEASES, options.version, options.arch ?? 'amd64');
  await mkdir(cache.downloads, { recursive: true });
  return withBuildLock(cache.lock, () => fetchLocked(cache, release, options), options.onWait);
}

async function fetchLocked(
  cache: PayloadCache,
  release: UpstreamRelease,
  options: FetchOptions,
): Promise<AssembledPayload> {
  const clock = new StageClock(STAGES, cache.timings, options.onProgress ?? (() => {}));
  await clock.start();
  const recipe = await recipeKey('fetch.ts', 'upstream.ts', 'registry.ts', 'oci.ts', 'tar.ts');
  return assemblePayload(cache, {
    version: release.kubernetes,
    flavour: 'upstream',
    arch: release.arch,
    provenance: `Upstream's release ${release.kubernetes}, fetched by reviewed digests (${release.reviewed}).`,
    contentKey: contentKey([recipe, JSON.stringify(release)]),
    fill: (folder) => clock.run('download', (step) => fillPayload(cache, folder, release, options, step)),
    verify: (check) => clock.run('verify', check),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

async function fillPayload(
  cache: PayloadCache,
  folder: string,
  release: UpstreamRelease,
  options: FetchOptions,
  step: (done: number, total: number) => void,
): Promise<{ readonly files: readonly PayloadFile[]; readonly images: readonly PayloadImage[] }> {
  const sources = options.sources ?? PUBLIC_UPSTREAM;
  const patience = options.patience ?? USUAL_PATIENCE;
  const transportTo = (base: UpstreamBase): Transport => ({
    base,
    certificateAuthorities: sources.certificateAuthorities ?? [],
    isLoopbackAllowed: options.isLoopbackAllowed ?? false,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const wanted = upstreamFiles(release);
  const total = wanted.length + release.images.length;
  const files: PayloadFile[] = [];
  for (const { base, path, sha256, ...placed } of wanted) {
    step(files.length, total);
    const part = { url: `${sources[base].url}${path}`, sha256, limit: PART_LIMIT };
    const from = await download(transportTo(sources[base]), part, cache.downloads, patience);
    const to = `files/${placed.kind === 'tar' ? `${placed.role}.tar.gz` : placed.role}`;
    await copyFile(from, join(folder, to));
    files.push({ ...placed, path: to, sha256, mode: '0755', size: (await stat(from)).size });
  }
  const registry = new Registry(transportTo(sources.registry), cache.downloads, patience);
  const images: PayloadImage[] = [];
  for (const image of release.images) {
    step(files.length + images.length, total);
    const reference = `${IMAGE_REGISTRY}/${image.repository}:${image.tag}`;
    const archive = `images/${basename(image.repository)}-${image.tag}.tar`;
    const written = await registry.fetchImage(image, release.arch, reference, join(folder, archive), 0);
    images.push({
      reference,
      archive,
      ...written,
      for: image.for,
      origin: `${image.repository}@${image.digest}`,
    });
  }
  return { files, images };
}
