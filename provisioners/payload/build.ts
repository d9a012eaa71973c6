import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Blocked } from '../contract/problem.ts';
import { type Duration, minutes, seconds } from '../contract/time.ts';
import { assemblePayload, type AssembledPayload } from './assemble.ts';
import {
  contentKey,
  hashFile,
  type PayloadCache,
  payloadCache,
  recipeKey,
  removeHalfMade,
  withBuildLock,
} from './cache.ts';
import {
  compiledPlace,
  type CompiledBinaries,
  compileKubernetes,
  LAB_VERSIONS,
  labProvenance,
} from './compile.ts';
import { openApt } from './debian.ts';
import { addonImages } from './addon-recipe.ts';
import { buildImage, type ImageSources, recipeText, REPOSITORY } from './images.ts';
import {
  type FileRecipe,
  LAB_FILES,
  type ImageRecipe,
  labImages,
  labPackages,
  MACHINE_LIBRARIES,
} from './lab-recipe.ts';
import type { PayloadFile, PayloadImage } from './manifest.ts';
import { type OnProgress, type Stage, StageClock } from './progress.ts';
import { closure, type DebianRoot, prepareRoot, versionOf } from './rootfs.ts';
import { type KubernetesSource, prepareSource } from './source.ts';
import { writeTar } from './tar.ts';

/**
 * Debian packages a machine must have to build the lab payload. Nothing is installed by the build itself.
 */
export function hostPackages(): readonly string[] {
  return [
    'apt',
    'binutils',
    'coreutils',
    'debian-archive-keyring',
    'dpkg',
    'dpkg-dev',
    'gcc',
    'grep',
    'libc6-dev',
    'util-linux',
    'xz-utils',
  ];
}

/** What a build asks of the machine, for those who ask the user first. */
export interface BuildNeeds {
  /** Of the first build; a second version takes a tenth of it. */
  readonly time: Duration;
  /** Bytes below the cache folder, with both versions built: measured 5.5 GB. */
  readonly disk: number;
  /** Bytes at the peak: the two largest compilers side by side, measured 1.4 GB each. */
  readonly memory: number;
  /** Debian packages that must be installed. */
  readonly packages: readonly string[];
}

/** Says what a build will need, with this machine's own times once it has built. */
export async function buildNeeds(cacheRoot?: string): Promise<BuildNeeds> {
  const clock = new StageClock(STAGES, payloadCache(cacheRoot).timings, () => {});
  await clock.start();
  return { time: clock.estimate(), disk: 5.5e9, memory: 2.8e9, packages: hostPackages() };
}

/** What to build and whom to tell. */
export interface BuildOptions {
  /** `v1.20.2`, or `v1.20.3` for the restamped copy. */
  readonly version: string;
  /** The cache folder; `REMUDA_CACHE` and its default without it. */
  readonly cacheRoot?: string;
  readonly onProgress?: OnProgress;
  /** Called once when another build holds the lock. */
  readonly onWait?: () => void;
  readonly signal?: AbortSignal;
}

/** Times on two cores with an empty cache, GROUND §1 and our own runs; each machine's own replace them. */
const STAGES: readonly Stage[] = [
  { name: 'apt', what: "reading Debian's package lists", usually: seconds(5) },
  { name: 'source', what: "unpacking Debian's Kubernetes sources and Go", usually: seconds(75) },
  { name: 'compile', what: 'compiling Kubernetes', usually: minutes(6) },
  { name: 'root', what: 'unpacking the Debian packages that images are cut from', usually: seconds(20) },
  { name: 'parts', what: 'putting files and images together', usually: seconds(25) },
  { name: 'verify', what: 'verifying the payload', usually: seconds(5) },
];

/**
 * Builds the lab payload, or finds it built: equal recipes and package versions give the same folder. Safe to
 * interrupt and repeat at any time; two builds at once take turns.
 * Throws UserProblem, Blocked or Transient, each with a remedy.
 */
export async function buildPayload(options: BuildOptions): Promise<AssembledPayload> {
  const cache = payloadCache(options.cacheRoot);
  await mkdir(cache.stages, { recursive: true });
  return withBuildLock(cache.lock, () => buildLocked(cache, options), options.onWait);
}

async function buildLocked(cache: PayloadCache, options: BuildOptions): Promise<AssembledPayload> {
  const clock = new StageClock(STAGES, cache.timings, options.onProgress ?? (() => {}));
  await clock.start();
  await rm(cache.log, { force: true });
  const { version, signal } = options;
  const apt = await clock.run('apt', () => openApt(cache, signal));
  const source = await clock.run('source', () => prepareSource(apt));
  const binaries = await clock.run('compile', (step) =>
    compileKubernetes(cache, source, version, step, signal),
  );
  const images = [...labImages(version), ...(await addonImages())];
  const root = await clock.run('root', (step) => prepareRoot(apt, labPackages(images), step));
  const parts = { version, source, binaries, root, images, signal };
  const made = await assemblePayload(cache, {
    version,
    flavour: 'lab',
    arch: root.arch === 'arm64' ? 'arm64' : 'amd64',
    provenance: labProvenance(version, source),
    contentKey: await labContentKey(parts),
    fill: (folder) => clock.run('parts', (step) => fillPayload(folder, parts, step)),
    verify: (check) => clock.run('verify', check),
    ...(signal === undefined ? {} : { signal }),
  });
  // Another version's binaries are as good as new when they were compiled from this source.
  const compiled = await Promise.all(LAB_VERSIONS.map((one) => compiledPlace(cache, source, one)));
  await forgetStages(cache, [source.folder, root.folder, ...compiled.map(({ folder }) => folder)]);
  return made;
}

/**
 * Removes what earlier recipes and killed builds left among the stages: each would keep a gigabyte for nothing. Call
 * it under the build lock.
 * @param used folders that the next build will take
 */
export async function forgetStages(cache: PayloadCache, used: readonly string[]): Promise<void> {
  const superseded = /^(source|root|binaries-v[0-9.]+)-[0-9a-f]{12}$/;
  await removeHalfMade(cache.stages);
  for (const name of await readdir(cache.stages)) {
    const folder = join(cache.stages, name);
    if (superseded.test(name) && !used.includes(folder)) await rm(folder, { recursive: true, force: true });
  }
}

interface LabParts {
  readonly version: string;
  readonly source: KubernetesSource;
  readonly binaries: CompiledBinaries;
  readonly root: DebianRoot;
  readonly images: readonly ImageRecipe[];
  readonly signal: AbortSignal | undefined;
}

async function labContentKey(parts: LabParts): Promise<string> {
  const recipes = ['build.ts', 'lab-recipe.ts', 'images.ts', 'oci.ts', 'tar.ts', 'rootfs.ts', 'crictl-shim'];
  const texts = await Promise.all(parts.images.map(recipeText));
  const keys = [parts.source.key, parts.binaries.key, parts.root.key, parts.version];
  return contentKey([await recipeKey(...recipes), ...keys, ...texts]);
}

async function fillPayload(
  folder: string,
  parts: LabParts,
  step: (done: number, total: number) => void,
): Promise<{ readonly files: readonly PayloadFile[]; readonly images: readonly PayloadImage[] }> {
  const images: PayloadImage[] = [];
  const recipes = parts.images;
  const sources: ImageSources = {
    root: parts.root,
    binaries: parts.binaries.folder,
    date: parts.source.date,
  };
  const layer = join(folder, '.layer.tar');
  for (const [index, recipe] of recipes.entries()) {
    parts.signal?.throwIfAborted();
    step(index, recipes.length + 1);
    const archive = `images/${basename(recipe.reference).replace(':', '-')}.tar`;
    const built = await buildImage(recipe, sources, layer, join(folder, archive));
    images.push({ reference: recipe.reference, archive, ...built, for: recipe.for, origin: recipe.origin });
  }
  await rm(layer, { force: true });
  step(recipes.length, recipes.length + 1);
  const files: PayloadFile[] = [];
  for (const recipe of LAB_FILES) files.push(await fillFile(folder, recipe, parts));
  return { files, images };
}

async function fillFile(folder: string, recipe: FileRecipe, parts: LabParts): Promise<PayloadFile> {
  const { from, role, install } = recipe;
  const common = { role, install, mode: '0755', for: recipe.for };
  if ('package' in from && (await stat(join(parts.root.folder, from.path))).isDirectory()) {
    const path = `files/${role}.tar`;
    const written = await packFolder(parts, from.path, join(folder, path));
    return { path, kind: 'tar', ...common, ...written, origin: versionOf(parts.root, from.package) };
  }
  const path = `files/${role}`;
  await copyFile(await sourceOf(from, parts), join(folder, path));
  const written = await hashFile(join(folder, path));
  return { path, kind: 'file', ...common, ...written, origin: originOf(from, parts) };
}

async function sourceOf(from: FileRecipe['from'], parts: LabParts): Promise<string> {
  if ('compiled' in from) return join(parts.binaries.folder, from.compiled);
  if ('repository' in from) return join(REPOSITORY, from.repository);
  await refuseStrangeLibraries(parts.root, from.path);
  return join(parts.root.folder, from.path);
}

function originOf(from: FileRecipe['from'], parts: LabParts): string {
  if ('compiled' in from) return `compiled from Debian kubernetes ${parts.source.debianVersion}`;
  if ('repository' in from) return `${from.repository} of Remuda, a stand-in`;
  return versionOf(parts.root, from.package);
}

/** A file that needs a library no machine has would fail only there, hours later. */
async function refuseStrangeLibraries(root: DebianRoot, path: string): Promise<void> {
  const needs = [...(await closure(root, [path]))].filter((one) => one !== path && one.includes('.so'));
  const strange = needs.filter((one) => !MACHINE_LIBRARIES.some((known) => known.test(one)));
  if (strange.length === 0) return;
  throw new Blocked('PAYLOAD-016', `${path} needs ${strange.join(', ')}, which a machine need not have.`, {
    remedy: "Add the library to the payload's files, or take a build of this file that does not need it.",
  });
}

async function packFolder(
  parts: LabParts,
  path: string,
  file: string,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const folder = join(parts.root.folder, path);
  const names = (await readdir(folder)).sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      await refuseStrangeLibraries(parts.root, join(path, name));
      const source = join(folder, name);
      return { path: name, type: 'file' as const, source, size: (await stat(source)).size, mode: 0o755 };
    }),
  );
  return writeTar(file, entries, parts.source.date);
}
