import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transient, UserProblem } from '../contract/problem.ts';
import { minutes } from '../contract/time.ts';
import { isPresent, type PayloadCache, writeWhole } from './cache.ts';
import { runTool } from './tool.ts';

/** The Debian release the lab payload is made of: the last one whose `kubernetes` source package is whole. */
const DEBIAN_RELEASE = 'bookworm';

/** How old apt's lists may be before they are fetched again. A failing refresh with lists at hand is no failure. */
const LISTS_AGE = minutes(24 * 60);

/** Debian's signing keys, from the package debian-archive-keyring. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A private apt: its configuration, and how to reach it. */
export interface Apt {
  /** Path for the environment variable APT_CONFIG. */
  readonly config: string;
  readonly cache: PayloadCache;
  readonly signal: AbortSignal | undefined;
}

/** One package at one version. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * Opens a private apt for {@link DEBIAN_RELEASE} that takes mirror, proxy and credentials from the machine's own apt
 * configuration and touches nothing of it. Throws UserProblem when no Debian mirror is configured, Transient when
 * the lists cannot be fetched and there are none yet.
 */
export async function openApt(cache: PayloadCache, signal?: AbortSignal): Promise<Apt> {
  const folder = cache.apt;
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'etc/nothing']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'state', 'status'), '', { flag: 'a' });
  await writeWhole(join(folder, 'etc', 'sources.list'), await sources(), 0o600);
  const config = join(folder, 'apt.conf');
  await writeWhole(config, await configuration(folder), 0o600);
  const apt = { config, cache, signal };
  await refreshLists(apt);
  return apt;
}

async function sources(): Promise<string> {
  const format = '$(SITE) $(RELEASE)';
  const targets = await runTool('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const pairs = targets.split('\n').map((line) => line.trim().split(' '));
  const suites = new Set([DEBIAN_RELEASE, `${DEBIAN_RELEASE}-updates`, `${DEBIAN_RELEASE}-security`]);
  const found = new Map<string, string>();
  for (const [site, release] of pairs) {
    if (site !== undefined && release !== undefined && suites.has(release)) found.set(release, site);
  }
  if (!found.has(DEBIAN_RELEASE)) {
    // A newer Debian's mirror carries the older release too.
    const other = pairs.find(([site, release]) => site?.endsWith('/debian') && release !== undefined)?.[0];
    if (other === undefined) {
      throw new UserProblem('PAYLOAD-010', 'No Debian mirror is configured in apt on this machine.', {
        remedy: `Add a Debian mirror (suite ${DEBIAN_RELEASE}) to apt's sources; the lab payload is built from Debian's packages.`,
      });
    }
    found.set(DEBIAN_RELEASE, other);
  }
  return [...found]
    .flatMap(([suite, site]) =>
      ['deb', 'deb-src'].map((type) => `${type} [signed-by=${KEYRING}] ${site} ${suite} main\n`),
    )
    .join('');
}

async function configuration(folder: string): Promise<string> {
  const dump = await runTool('apt-config', ['dump']);
  // Proxies, certificates and retries are the machine's business; everything about places is ours.
  const network = dump
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Retries|Check-|Max-|ForceIPv)/.test(line));
  const nothing = join(folder, 'etc', 'nothing');
  const own = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::lists': join(folder, 'state', 'lists'),
    'Dir::State::status': join(folder, 'state', 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'etc', 'sources.list'),
    'Dir::Etc::sourceparts': nothing,
    'Dir::Etc::parts': nothing,
    'Dir::Etc::main': join(nothing, 'none'),
    'Dir::Etc::preferences': join(nothing, 'none'),
    'Dir::Etc::preferencesparts': nothing,
    'Dir::Etc::netrc': '/etc/apt/auth.conf',
    'Dir::Etc::netrcparts': '/etc/apt/auth.conf.d',
    'Acquire::Languages': 'none',
    'APT::Install-Recommends': 'false',
    // The cache belongs to whoever builds; apt's own user could not write into it.
    'APT::Sandbox::User': '',
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} "${value}";`);
  return `${[...network, ...lines].join('\n')}\n`;
}

async function refreshLists(apt: Apt): Promise<void> {
  const stamp = join(apt.cache.apt, 'refreshed');
  const last = await stat(stamp).catch(() => null);
  if (last !== null && Date.now() - last.mtimeMs < LISTS_AGE) return;
  try {
    await aptGet(apt, ['update', '--error-on=any']);
    await writeWhole(stamp, '');
  } catch {
    if (last === null) {
      const details = { remedy: "Check with 'apt-get update' that this machine reaches its Debian mirror." };
      throw new Transient('PAYLOAD-011', "Debian's package lists could not be fetched.", details);
    }
  }
}

function aptGet(apt: Apt, args: readonly string[], cwd?: string): Promise<string> {
  return runTool('apt-get', args, {
    env: { APT_CONFIG: apt.config },
    log: apt.cache.log,
    ...(cwd === undefined ? {} : { cwd }),
    ...(apt.signal === undefined ? {} : { signal: apt.signal }),
  });
}

/** The named packages with everything they depend on, each at the version that would be installed, sorted. */
export async function resolvePackages(apt: Apt, names: readonly string[]): Promise<readonly DebianPackage[]> {
  const plan = await aptGet(apt, ['install', '--simulate', '--no-install-recommends', ...names]);
  const packages = [...plan.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name = '', version = '']) => ({
    name,
    version,
  }));
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The version that would be installed of each package, without what it depends on. */
export async function resolveVersions(apt: Apt, names: readonly string[]): Promise<readonly DebianPackage[]> {
  const all = await resolvePackages(apt, names);
  return names.map((name) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`apt did not resolve ${name}`);
    return found;
  });
}

/** Fetches packages that are not in the cache yet; apt checks them against Debian's signed lists. */
export async function downloadPackages(
  apt: Apt,
  packages: readonly DebianPackage[],
  step: (done: number, total: number) => void = () => {},
): Promise<readonly string[]> {
  const folder = apt.cache.packages;
  await mkdir(folder, { recursive: true });
  const present = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => name.endsWith('.deb'));
  const fileOf = (one: DebianPackage, names: readonly string[]): string | undefined =>
    names.find((name) => name.startsWith(`${one.name}_${one.version.replaceAll(':', '%3a')}_`));
  const have = await present();
  const absent = packages.filter((one) => fileOf(one, have) === undefined);
  const partial = join(folder, `.tmp-${process.pid}`);
  await mkdir(partial, { recursive: true });
  try {
    for (let index = 0; index < absent.length; index += 20) {
      step(packages.length - absent.length + index, packages.length);
      const batch = absent.slice(index, index + 20);
      await aptGet(apt, ['download', ...batch.map((one) => `${one.name}=${one.version}`)], partial);
      for (const name of await readdir(partial)) await rename(join(partial, name), join(folder, name));
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const names = await present();
  return packages.map((one) => {
    const file = fileOf(one, names);
    if (file === undefined) throw new Error(`apt downloaded no file for ${one.name} ${one.version}`);
    return join(folder, file);
  });
}

/** Version of a source package, as the lists name it now. */
export async function sourceVersion(apt: Apt, name: string): Promise<string> {
  const uris = await aptGet(apt, ['source', '--print-uris', '--only-source', name]);
  const description = uris.split('\n').find((line) => line.includes('.dsc '));
  const file = description?.split(' ')[1];
  const version = file === undefined ? undefined : basename(file, '.dsc').split('_')[1];
  if (version === undefined) {
    throw new UserProblem('PAYLOAD-012', `The Debian mirror of this machine has no source package ${name}.`, {
      remedy: `Use a mirror that carries ${DEBIAN_RELEASE} with its sources.`,
    });
  }
  return version;
}

/** Unpacks a source package, with Debian's patches applied, into `folder`/`name`. */
export async function unpackSource(apt: Apt, name: string, version: string, folder: string): Promise<void> {
  const store = join(apt.cache.packages, `source-${name}-${version}`);
  if (!(await isPresent(store))) {
    const partial = `${store}.tmp-${process.pid}`;
    await mkdir(partial, { recursive: true });
    await aptGet(apt, ['source', '--download-only', '--only-source', `${name}=${version}`], partial);
    await rename(partial, store);
  }
  const description = (await readdir(store)).find((file) => file.endsWith('.dsc'));
  if (description === undefined) throw new Error(`no .dsc in ${store}`);
  // apt has checked every file against the signed lists; the signature inside the .dsc adds nothing to that.
  const args = ['--no-check', '--extract', join(store, description), join(folder, name)];
  await runTool('dpkg-source', args, {
    log: apt.cache.log,
    ...(apt.signal === undefined ? {} : { signal: apt.signal }),
  });
}

/** Unpacks a binary package into a folder, without running anything of it. */
export async function unpackPackage(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runTool('dpkg-deb', ['--extract', file, folder]);
}
