import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const cacheFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'remuda', 'test-moto');

/** The first Debian that has python3-moto. */
const suite = 'trixie';

/** How moto is started. */
export interface MotoProgram {
  readonly command: readonly string[];
  /** A folder that both sides see, and its path for moto. */
  readonly folder: { readonly here: string; readonly there: string };
}

/**
 * `moto_server` of the path; without one, Debian trixie's in a root of its own in the cache, made once by mmdebstrap from
 * the mirror of the machine's apt. Nothing is installed on the system.
 * @throws Error when there is none and it cannot be made
 */
export function motoProgram(): MotoProgram {
  if (spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status === 0)
    return { command: ['moto_server'], folder: { here: tmpdir(), there: tmpdir() } };
  const root = join(cacheFolder, 'root');
  if (!existsSync(root)) makeRoot(root);
  const chroot = ['unshare', '--mount', '--pid', '--fork', '--kill-child', `--mount-proc=${root}/proc`];
  return {
    command: [...chroot, 'chroot', root, '/usr/bin/moto_server'],
    folder: { here: join(root, 'tmp'), there: '/tmp' },
  };
}

function makeRoot(root: string): void {
  mkdirSync(cacheFolder, { recursive: true });
  const sources = join(cacheFolder, 'sources.list');
  writeFileSync(sources, sourceLines().join('\n'));
  // Several test files may want it at once; the second finds what the first has made.
  const make = [
    `test -e "$1" || { rm -rf "$1.new" &&`,
    `mmdebstrap --variant=apt --mode=root --format=directory --include=python3-moto,python3-flask,python3-flask-cors`,
    `--aptopt='APT::Install-Recommends "false"' ${suite} "$1.new" "$2" && mv "$1.new" "$1"; }`,
  ].join(' ');
  execFileSync('flock', [join(cacheFolder, 'lock'), 'sh', '-c', make, 'sh', root, sources], {
    stdio: 'pipe',
  });
}

/** The machine's own mirror, turned to the suite. */
function sourceLines(): readonly string[] {
  const own = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = execFileSync('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']);
  const lines = targets
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [uri, release, component] = line.split(' ');
      const isOwn = uri !== undefined && release === own && component === 'main';
      return isOwn ? [`deb ${uri} ${suite} main`] : [];
    });
  if (lines.length === 0) throw new Error('there is no moto_server, and apt names no Debian mirror');
  return [...new Set(lines)];
}
