/** Debian packages that the lab, the payload build and the tests stand on; installed with apt when missing. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const namesIn = (file: string): string[] =>
  readFileSync(join(import.meta.dirname, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const needed = [...namesIn('packages.txt'), ...namesIn('packages-tests.txt')];

/** Packages that bring a service of their own: the tests start the program themselves, on loopback. */
const services: Readonly<Record<string, readonly string[]>> = {
  'openssh-server': ['ssh.service'],
  slapd: ['slapd.service'],
  rsyslog: ['rsyslog.service'],
  samba: ['samba-ad-dc.service', 'smbd.service', 'nmbd.service'],
};

/** While it is there, Debian's packages start no service (policy-rc.d, /usr/share/doc/init-system-helpers). */
const policyFile = '/usr/sbin/policy-rc.d';
const unfinishedPolicy = `${policyFile}.remuda`;
const policy = '#!/bin/sh\n# made by scripts/test of Remuda while it installs packages\nexit 101\n';

/** Names of the needed packages that dpkg does not have as installed. */
function missingPackages(): string[] {
  const format = '$\u007Bdb:Status-Abbrev}$\u007BPackage}\n';
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', format, ...needed], { encoding: 'utf8' });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('ii '))
      .map((line) => line.slice(3).trim()),
  );
  return needed.filter((name) => !installed.has(name));
}

/**
 * Installs what is missing, without recommended packages, and lets none of it start a service, now or at the next boot.
 * @throws Error with apt's last lines when apt fails.
 */
export function installMissingPackages(): void {
  // Left by a run that was killed.
  rmSync(unfinishedPolicy, { force: true });
  if (existsSync(policyFile) && readFileSync(policyFile, 'utf8') === policy) rmSync(policyFile);
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(`apt: installing ${missing.join(' ')}`);
  const isOurs = !existsSync(policyFile);
  if (isOurs) {
    // Whole or not at all: an empty file left by a kill would be nobody's, and let services start for ever.
    writeFileSync(unfinishedPolicy, policy, { mode: 0o755 });
    renameSync(unfinishedPolicy, policyFile);
  }
  try {
    for (const args of [
      ['update', '-q'],
      ['install', '-y', '-q', '--no-install-recommends', ...missing],
    ])
      runApt(args);
    const units = missing.flatMap((name) => services[name] ?? []);
    // Where systemd does not run, nothing starts at a boot either: its answer does not matter.
    if (units.length > 0) spawnSync('systemctl', ['disable', '--quiet', ...units]);
  } finally {
    if (isOurs) rmSync(policyFile);
  }
}

function runApt(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('apt-get', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const lastLines = `${stdout}${stderr}`.split('\n').slice(-15).join('\n');
  if (status !== 0) throw new Error(`apt-get ${args[0]} failed:\n${lastLines}`);
}
