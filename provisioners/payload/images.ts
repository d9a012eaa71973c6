import { glob, lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { ImageRecipe } from './lab-recipe.ts';
import { type ImageArchive, writeSingleLayerImage } from './oci.ts';
import { canonicalPath, closure, type DebianRoot } from './rootfs.ts';
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

/** The repository's folder that a recipe copies, or null when nobody has written it yet. */
export async function treeOf(recipe: ImageRecipe): Promise<string | null> {
  if (recipe.tree === undefined) return null;
  for await (const found of glob(recipe.tree, { cwd: REPOSITORY })) return join(REPOSITORY, found);
  return null;
}

/** Hashable text of a recipe's own files: path, mode and contents of each, sorted. */
export async function treeText(folder: string): Promise<string> {
  const entries = await repositoryEntries(folder);
  const texts = await Promise.all(
    entries.map(async (entry) =>
      entry.type === 'file'
        ? `${entry.path} ${entry.mode} ${(await readFile(entry.source)).toString('base64')}`
        : entry.path,
    ),
  );
  return texts.join('\n');
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
  const wanted = [...recipe.binaries];
  for (const folder of recipe.folders)
    wanted.push(...(await filesBelow(root, folder.replace('TRIPLET', root.triplet))));
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
  const tree = await treeOf(recipe);
  if (tree !== null) for (const entry of await repositoryEntries(tree)) add(entry);
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function filesBelow(root: DebianRoot, folder: string): Promise<readonly string[]> {
  const names = await readdir(join(root.folder, folder), { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => !entry.isDirectory())
    .map((entry) => canonicalPath(`/${posix.relative(root.folder, join(entry.parentPath, entry.name))}`));
}

async function rootEntry(root: DebianRoot, path: string): Promise<TarEntry> {
  const source = join(root.folder, path);
  const entry = await lstat(source);
  if (entry.isSymbolicLink()) return { path: path.slice(1), type: 'link', target: await readlink(source) };
  return { path: path.slice(1), type: 'file', source, size: entry.size, mode: entry.mode & 0o777 };
}

async function repositoryEntries(folder: string): Promise<readonly TarEntry[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const entries = await Promise.all(
    files.sort().map(async (source): Promise<TarEntry> => {
      const found = await lstat(source);
      // Git keeps one permission bit, so one bit is what decides.
      const mode = (found.mode & 0o100) === 0 ? 0o644 : 0o755;
      return {
        path: canonicalPath(`/${posix.relative(folder, source)}`).slice(1),
        type: 'file',
        source,
        size: found.size,
        mode,
      };
    }),
  );
  return entries;
}
