/** Debian packages that the lab, the payload build and the tests stand on; installed with apt when missing. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const namesIn = (file: string): string[] =>
  readFileSync(join(import.meta.dirname, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const needed = [...namesIn('packages.txt'), ...namesIn('packages-tests.txt')];

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
 * Installs what is missing, without recommended packages.
 * @throws Error with apt's last lines when apt fails.
 */
export function installMissingPackages(): void {
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
    const lastLines = `${stdout}${stderr}`.split('\n').slice(-15).join('\n');
    if (status !== 0) throw new Error(`apt-get ${args[0]} failed:\n${lastLines}`);
  }
}
