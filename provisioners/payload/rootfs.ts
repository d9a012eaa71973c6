import { lstat, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Blocked } from '../contract/problem.ts';
import { contentKey, isPresent, makeFolder, recipeKey } from './cache.ts';
import { type Apt, type DebianPackage, downloadPackages, resolvePackages, unpackPackage } from './debian.ts';
import { runTool } from './tool.ts';

/** Top folders that Debian keeps as links into /usr. */
const MERGED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** Never needed in an image; half of the root's size. */
const NEEDLESS = ['doc', 'man', 'locale', 'info', 'lintian', 'perl'];

/**
 * Links that Debian makes in maintainer scripts, which are never run here. nf_tables is the default of Debian's
 * hosts: an image and its host must not write two different rule sets.
 */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  'usr/bin/sh': 'bash',
  'usr/bin/awk': 'mawk',
  ...Object.fromEntries(
    ['iptables', 'ip6tables']
      .flatMap((name) => [name, `${name}-save`, `${name}-restore`])
      .map((name) => [`usr/sbin/${name}`, 'xtables-nft-multi']),
  ),
};

/** Folders of plug-ins that a program loads by name, so that no ELF header tells of them. */
const PLUGINS: Readonly<Record<string, (triplet: string) => string>> = {
  '/usr/sbin/xtables-nft-multi': (triplet) => `/usr/lib/${triplet}/xtables`,
  '/usr/sbin/xtables-legacy-multi': (triplet) => `/usr/lib/${triplet}/xtables`,
};

/**
 * Debian packages unpacked side by side, nothing of them run: the quarry from which images and files are cut. Not
 * bootable, and no machine's root.
 */
export interface DebianRoot {
  readonly key: string;
  readonly folder: string;
  /** `amd64` or `arm64`. */
  readonly arch: string;
  /** Debian's folder name of the machine type: `x86_64-linux-gnu`. */
  readonly triplet: string;
  readonly packages: readonly DebianPackage[];
}

/** Unpacks the named packages and all they depend on; cached by their versions. */
export async function prepareRoot(
  apt: Apt,
  names: readonly string[],
  step: (done: number, total: number) => void,
): Promise<DebianRoot> {
  const packages = await resolvePackages(apt, names);
  const arch = (await runTool('dpkg', ['--print-architecture'])).trim();
  const triplet = arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const key = contentKey([
    await recipeKey('rootfs.ts'),
    arch,
    ...packages.map((one) => `${one.name}=${one.version}`),
  ]);
  const folder = await makeFolder(join(apt.cache.stages, `root-${key.slice(0, 12)}`), async (temporary) => {
    const files = await downloadPackages(apt, packages, (done) => step(done, 2 * packages.length));
    for (const [index, file] of files.entries()) {
      step(packages.length + index, 2 * packages.length);
      await unpackPackage(file, temporary);
    }
    for (const name of NEEDLESS)
      await rm(join(temporary, 'usr', 'share', name), { recursive: true, force: true });
    await mergeUsr(temporary);
    for (const [path, target] of Object.entries(ALTERNATIVES)) {
      const link = join(temporary, path);
      if (!(await isPresent(link)) && (await isPresent(join(dirname(link), target))))
        await symlink(target, link);
    }
  });
  return { key, folder, arch, triplet, packages };
}

/** Moves /bin, /lib … below /usr and leaves links, as Debian's usrmerge does; packages still ship both. */
async function mergeUsr(root: string): Promise<void> {
  for (const name of MERGED) {
    if (!(await isPresent(join(root, name)))) continue;
    await mergeFolder(join(root, name), join(root, 'usr', name));
    await symlink(`usr/${name}`, join(root, name));
  }
}

async function mergeFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory() && (await isPresent(target))) await mergeFolder(source, target);
    else await rename(source, target);
  }
  await rm(from, { recursive: true });
}

/** Writes a path as it is below /usr: `/bin/sh` and `/usr/bin/sh` are one file. */
export function canonicalPath(path: string): string {
  const normal = posix.normalize(path);
  const top = normal.split('/')[1] ?? '';
  return MERGED.includes(top) ? `/usr${normal}` : normal;
}

/** Path of a program given by name (looked for as PATH would) or by path. */
export async function programPath(root: DebianRoot, program: string): Promise<string> {
  if (program.startsWith('/')) return canonicalPath(program);
  for (const folder of ['/usr/bin', '/usr/sbin']) {
    const path = `${folder}/${program}`;
    if ((await lstat(join(root.folder, path)).catch(() => null)) !== null) return path;
  }
  return `/usr/bin/${program}`;
}

/**
 * The given files of the root, the links on the way to them, their shared libraries and interpreters: all that they
 * need to run. Found by reading ELF headers; nothing is executed. Throws Blocked when something is missing.
 */
export async function closure(root: DebianRoot, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const todo = paths.map(canonicalPath);
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const entry = await lstat(join(root.folder, path)).catch(() => null);
    if (entry === null) {
      throw new Blocked('PAYLOAD-014', `The Debian packages of this recipe bring no ${path}.`, {
        remedy: 'Name the package that brings it in the recipe, or leave the file out.',
      });
    }
    if (entry.isSymbolicLink()) {
      const target = await readlink(join(root.folder, path));
      todo.push(canonicalPath(posix.resolve(dirname(path), target)));
    } else if (entry.isFile()) {
      todo.push(...(await neededBy(root, path)), ...(await pluginsOf(root, path)));
    }
  }
  return found;
}

async function pluginsOf(root: DebianRoot, path: string): Promise<readonly string[]> {
  const folder = PLUGINS[path]?.(root.triplet);
  if (folder === undefined) return [];
  return (await readdir(join(root.folder, folder))).map((name) => `${folder}/${name}`);
}

async function neededBy(root: DebianRoot, path: string): Promise<readonly string[]> {
  const options = ['--wide', '--dynamic', '--program-headers', join(root.folder, path)];
  // readelf fails on scripts and data files, which need nothing.
  const headers = await runTool('readelf', options).catch(() => '');
  const runPath = /(?:RUNPATH|RPATH)\).*\[(.*)\]/.exec(headers)?.[1]?.split(':') ?? [];
  const folders = [...runPath, `/usr/lib/${root.triplet}`, '/usr/lib'].map((folder) =>
    folder.replace('$ORIGIN', dirname(path)),
  );
  const needed: string[] = [];
  for (const [, interpreter = ''] of headers.matchAll(/Requesting program interpreter: (\S+)\]/g)) {
    needed.push(canonicalPath(interpreter));
  }
  for (const [, library = ''] of headers.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
    needed.push(await findLibrary(root, library, folders, path));
  }
  return needed;
}

async function findLibrary(
  root: DebianRoot,
  library: string,
  folders: readonly string[],
  wantedBy: string,
): Promise<string> {
  for (const folder of folders) {
    const candidate = canonicalPath(posix.join(folder, library));
    if ((await lstat(join(root.folder, candidate)).catch(() => null)) !== null) return candidate;
  }
  throw new Blocked(
    'PAYLOAD-015',
    `${wantedBy} needs the library ${library}, which no package of this recipe brings.`,
    {
      remedy: 'Name the package that brings the library in the recipe.',
    },
  );
}

/** Package and version that a root holds, for people: `containerd 1.6.20~ds1-1+deb12u3`. */
export function versionOf(root: DebianRoot, name: string): string {
  const found = root.packages.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the root holds no package ${name}`);
  return `Debian ${name} ${found.version}`;
}
