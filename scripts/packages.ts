/** Debian packages that the lab and the tests stand on; installed with apt when missing. */
import { spawnSync } from 'node:child_process';

/** Packages by what needs them. */
const needed: Readonly<Record<string, readonly string[]>> = {
  'lab hosts': ['systemd-container', 'mmdebstrap', 'iproute2', 'iptables', 'openssh-client'],
  'payload build': ['dpkg-dev', 'gcc', 'libc6-dev', 'jq', 'xz-utils', 'zstd'],
  tests: ['openssh-server', 'strace', 'etcd-client'],
};

/** Names of the needed packages that dpkg does not have as installed. */
export function missingPackages(): string[] {
  const names = [...new Set(Object.values(needed).flat())];
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}${Package}\n', ...names], {
    encoding: 'utf8',
  });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('ii '))
      .map((line) => line.slice(3).trim()),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * Installs what is missing, without recommended packages and without starting services.
 * @throws Error with apt's last lines when apt fails.
 */
export async function installMissingPackages(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(`apt: installing ${missing.join(' ')}`);
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', ...missing],
  ]) {
    const { status, stdout, stderr } = spawnSync('apt-get', args, {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0)
      throw new Error(
        `apt-get ${args[0]} failed:\n${`${stdout}${stderr}`.split('\n').slice(-15).join('\n')}`,
      );
  }
}
