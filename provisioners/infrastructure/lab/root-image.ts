import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { Transient } from '../../contract/problem.ts';
import { run, toolEnvironment } from './command.ts';
import { withLock } from './lock.ts';

/** Says how far a build is: `done` of `total` stages, and what comes now. */
export type OnProgress = (done: number, total: number, what: string) => void;

const suite = 'bookworm';
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * What is in the node image of the lab: a Debian with systemd and what Kubernetes expects of its machine, but nothing of
 * Kubernetes itself, no container runtime and no CNI plugins: those come from the payload.
 */
const packages = words(`
  systemd systemd-sysv dbus udev openssh-server bash less procps psmisc util-linux mount
  iproute2 iptables nftables ipset ebtables conntrack socat ethtool kmod
  iputils-ping iputils-arping netcat-openbsd tcpdump curl ca-certificates openssl jq
  tar gzip xz-utils zstd haproxy keepalived
`);

/** Installed but not started: who they serve is the cluster's business. Timers that only wake an idle lab are off. */
const disabledUnits = words(`
  haproxy.service keepalived.service nftables.service
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
`);

/**
 * Devices, consoles and what belongs to the box's kernel are not the lab's; and each *.path unit costs one of the few
 * inotify instances that all hosts share.
 */
const maskedUnits = words(`
  systemd-ask-password-console.path systemd-ask-password-wall.path
  console-getty.service getty.target systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket
  systemd-udevd-kernel.socket systemd-modules-load.service e2scrub_reap.service
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount proc-sys-fs-binfmt_misc.automount
`);

/** Documentation nobody reads on a lab host. */
const excluded = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*'];

/** Left in the image by packages, wrong for every host: keys, ids, and the way to the mirror (hosts have no way out). */
const removed = [
  'etc/machine-id',
  'etc/hostname',
  'etc/resolv.conf',
  'etc/apt/sources.list',
  'etc/apt/apt.conf.d/99mmdebstrap',
];

const files = join(import.meta.dirname, 'image');

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map((entry) =>
    entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)],
  );
  return (await Promise.all(found)).flat().sort();
}

/** Digest of everything the image is made from but the packages' versions: another recipe is another image. */
async function recipeKey(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([5, suite, architecture, packages, disabledUnits, maskedUnits, excluded, removed]),
  );
  for (const file of await listFiles(files)) {
    const stat = await lstat(file);
    const content = stat.isSymbolicLink() ? await readlink(file) : await readFile(file);
    hash.update(`${relative(files, file)}\0${stat.mode & 0o111 ? 'x' : '-'}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Folder of the root image for this recipe, and whether it is there. */
export async function locateRootImage(cacheDirectory: string): Promise<{ folder: string; isBuilt: boolean }> {
  const folder = join(cacheDirectory, 'lab-root', `${suite}-${architecture}-${await recipeKey()}`);
  return { folder, isBuilt: existsSync(folder) };
}

/** Packages of the box's own distribution that the lab needs. `openssh-client` only serves people (scripts/lab ssh). */
export const requiredPackages = (): readonly string[] => [
  'systemd-container',
  'mmdebstrap',
  'iproute2',
  'util-linux',
  'openssh-client',
];

/**
 * Mirrors from the box's own apt configuration, whatever its format, turned to the image's suite.
 * @throws Transient when apt knows no Debian mirror.
 */
async function sourceLines(): Promise<string[]> {
  const release = await readFile('/etc/os-release', 'utf8');
  const own = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1] ?? suite;
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = await run('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']);
  const lines = targets.split('\n').flatMap((line) => {
    const [uri, target = '', component] = line.split(' ');
    const [codename, ...pocket] = target.split('-');
    if (codename !== own || component !== 'main' || uri === undefined) return [];
    return [`deb ${uri} ${[suite, ...pocket].join('-')} main`];
  });
  if (lines.length > 0) return [...new Set(lines)];
  throw new Transient('LAB-020', `apt on this box names no Debian mirror for ${own}`, {
    remedy: 'Run `apt-get update` and see that `apt-get indextargets` prints lines.',
  });
}

/** The box's apt options that decide whether its mirror can be used at all (a proxy, a clock far off). */
async function aptOptions(): Promise<string[]> {
  const dump = await run('apt-config', ['dump']);
  const wanted = /^Acquire::(http::Proxy|https::Proxy|Check-Valid-Until|Check-Date|Retries) "[^"]+";$/;
  return dump.split('\n').filter((line) => wanted.test(line));
}

/** mmdebstrap's own words for its stages, in their order. */
const stages = [
  'apt-get update',
  'downloading packages',
  'extracting archives',
  'installing essential',
  'installing remaining',
  'cleaning',
];

async function bootstrap(
  target: string,
  sources: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const options = (await aptOptions()).flatMap((option) => [`--aptopt=${option}`]);
  const excludes = excluded.map((path) => `--dpkgopt=path-exclude=${path}`);
  // Its mounts live in a mount namespace of their own, and it dies with us: an interrupt leaves a folder, no more.
  const wrapper = words('--pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc');
  const mmdebstrap = words(
    `mmdebstrap --variant=apt --mode=root --format=directory --architectures=${architecture}`,
  );
  const recommends = '--aptopt=APT::Install-Recommends "false"';
  const contents = [`--include=${packages.join(',')}`, recommends, ...options, ...excludes];
  const args = [...wrapper, ...mmdebstrap, ...contents, suite, target, sources];
  const child = spawn('setpriv', args, {
    env: toolEnvironment,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  const lastLines: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > 8) lastLines.shift();
    const reached = stages.findIndex((stage) => line.startsWith('I: ') && line.includes(stage));
    if (reached >= 0) onProgress(reached, stages.length + 1, line.slice(3));
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  throw new Transient('LAB-021', `building the lab's root image failed (mmdebstrap ended with ${code})`, {
    lastLines,
    remedy:
      "See whether the box reaches Debian's mirror (`apt-get update`) and has 1 GiB free in the cache, then repeat.",
  });
}

/** Turns a plain Debian into the lab's node image. */
async function adapt(root: string): Promise<void> {
  await run('cp', ['-a', '--no-preserve=ownership', `${files}/.`, root]);
  await run('chown', [
    '-R',
    '--no-dereference',
    'root:root',
    join(root, 'etc/systemd/system'),
    join(root, 'usr/local/sbin'),
    join(root, 'etc/ssh'),
  ]);
  await run('systemctl', [`--root=${root}`, 'disable', '--quiet', ...disabledUnits]);
  await run('systemctl', [`--root=${root}`, 'mask', '--quiet', ...maskedUnits]);
  await run('systemctl', [`--root=${root}`, 'set-default', '--quiet', 'multi-user.target']);
  const keys = (await readdir(join(root, 'etc/ssh'))).filter((name) => name.startsWith('ssh_host_'));
  for (const path of [...removed, ...keys.map((name) => `etc/ssh/${name}`)])
    await rm(join(root, path), { force: true });
  for (const folder of [
    'etc/remuda',
    'var/lib/containerd',
    'var/lib/kubelet',
    'var/lib/etcd',
    'opt/cni/bin',
    'var/log/journal',
  ])
    await mkdir(join(root, folder), { recursive: true });
}

/**
 * Builds the root image unless it is in the cache; concurrent callers wait for the first. Safe to interrupt and repeat:
 * the image appears under its name only when it is whole.
 * @returns its folder, which nobody ever writes into again.
 */
export async function buildRootImage(
  cacheDirectory: string,
  onProgress: OnProgress = () => undefined,
  signal?: AbortSignal,
): Promise<string> {
  const { folder, isBuilt } = await locateRootImage(cacheDirectory);
  if (isBuilt) return folder;
  const parent = join(cacheDirectory, 'lab-root');
  return withLock(join(parent, 'lock'), signal, async () => {
    if (existsSync(folder)) return folder;
    for (const name of await readdir(parent))
      if (name.startsWith('.building-')) await run('rm', ['-rf', '--one-file-system', join(parent, name)]);
    const temporary = join(parent, `.building-${process.pid}`);
    const root = join(temporary, 'root');
    await mkdir(temporary, { recursive: true });
    const sources = join(temporary, 'sources.list');
    await writeFile(sources, `${(await sourceLines()).join('\n')}\n`);
    await bootstrap(root, sources, onProgress, signal);
    onProgress(stages.length, stages.length + 1, 'adapting the image to the lab');
    await adapt(root);
    await run('sync', ['--file-system', root]);
    await rename(root, folder);
    await run('rm', ['-rf', '--one-file-system', temporary]);
    onProgress(stages.length + 1, stages.length + 1, 'the root image is built');
    return folder;
  });
}
