import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImageRecipe } from './lab-recipe.ts';
import { type ImageArchive, writeSingleLayerImage } from './oci.ts';
import { canonicalPath, closure, type DebianRoot, programPath } from './rootfs.ts';
import { type TarEntry, writeTar } from './tar.ts';

/** The repository's top folder, which recipes name their files from. */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** What images are put together from. */
export interface ImageSources {
  readonly root: DebianRoot;
  /** Folder with the compiled binaries. */
  readonly binaries: string;
  /** Modification time of everything, in seconds since the epoch. */
  readonly date: number;
}

/** Folders every image has. */
const SKELETON: readonly TarEntry[] = [
  { path: 'tmp', type: 'folder', mode: 0o1777 },
  { path: 'run', type: 'folder', mode: 0o755 },
  { path: 'var/lib', type: 'folder', mode: 0o755 },
  {
    path: 'etc/passwd',
    type: 'text',
    mode: 0o644,
    text: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  },
  { path: 'etc/group', type: 'text', mode: 0o644, text: 'root:x:0:\nnogroup:x:65534:\n' },
];

/** Hashable text of a recipe and of the repository's files in it: paths, modes and contents. */
export async function recipeText(recipe: ImageRecipe): Promise<string> {
  const { files, ...rest } = recipe;
  const texts = await Promise.all(
    Object.entries(files).map(
      async ([source, path]) => `${path} ${await gitMode(source)} ${await readFile(source, 'base64')}`,
    ),
  );
  return JSON.stringify([rest, ...texts]);
}

/**
 * Puts one image together and writes its archive. The same recipe, root and binaries give the same bytes.
 * @param layerFile where the layer lies meanwhile; the caller removes it
 */
export async function buildImage(
  recipe: ImageRecipe,
  sources: ImageSources,
  layerFile: string,
  archive: string,
): Promise<ImageArchive> {
  const entries = await layerEntries(recipe, sources);
  const layer = await writeTar(layerFile, entries, sources.date);
  return writeSingleLayerImage(archive, {
    reference: recipe.reference,
    arch: sources.root.arch,
    date: sources.date,
    process: recipe.process,
    layer: { digest: `sha256:${layer.sha256}`, size: layer.size, file: layerFile },
    author: `remuda lab payload: ${recipe.origin}`,
  });
}

async function layerEntries(recipe: ImageRecipe, sources: ImageSources): Promise<readonly TarEntry[]> {
  const { root } = sources;
  const entries = new Map<string, TarEntry>();
  const add = (entry: TarEntry): void => {
    for (let folder = dirname(entry.path); folder !== '.'; folder = dirname(folder)) {
      if (!entries.has(folder)) entries.set(folder, { path: folder, type: 'folder', mode: 0o755 });
    }
    entries.set(entry.path, entry);
  };
  for (const entry of SKELETON) add(entry);
  const wanted = await Promise.all(recipe.binaries.map((program) => programPath(root, program)));
  if (wanted.length > 0) {
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
      add({ path: `usr/${name}`, type: 'folder', mode: 0o755 });
      add({ path: name, type: 'link', target: `usr/${name}` });
    }
  }
  for (const path of await closure(root, wanted)) add(await rootEntry(root, path));
  for (const [path, target] of Object.entries(recipe.links))
    add({ path: path.slice(1), type: 'link', target });
  for (const [name, path] of Object.entries(recipe.compiled)) {
    const source = join(sources.binaries, name);
    add({ path: path.slice(1), type: 'file', source, size: (await lstat(source)).size, mode: 0o755 });
  }
  for (const [source, path] of Object.entries(recipe.files)) {
    const { size } = await lstat(source);
    add({ path: canonicalPath(path).slice(1), type: 'file', source, size, mode: await gitMode(source) });
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function rootEntry(root: DebianRoot, path: string): Promise<TarEntry> {
  const source = join(root.folder, path);
  const entry = await lstat(source);
  if (entry.isSymbolicLink()) return { path: path.slice(1), type: 'link', target: await readlink(source) };
  return { path: path.slice(1), type: 'file', source, size: entry.size, mode: entry.mode & 0o777 };
}

/** Git keeps one permission bit, so one bit is what decides. */
async function gitMode(file: string): Promise<number> {
  return ((await lstat(file)).mode & 0o100) === 0 ? 0o644 : 0o755;
}
