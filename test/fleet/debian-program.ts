import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cacheFolder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'remuda',
  'test-programs',
);

/**
 * Folder with these Debian packages unpacked side by side, in a cache: nothing is installed on the system, and nothing
 * is started as installing would. Two tests that unpack at once do not see each other's half.
 * @throws Error when they are not cached and apt cannot bring them
 */
export function unpackedPackages(...names: readonly [string, ...string[]]): string {
  const folder = join(cacheFolder, names[0]);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder, { recursive: true });
  const draft = mkdtempSync(join(cacheFolder, '.draft-'));
  try {
    execFileSync('apt-get', ['download', ...names], { cwd: draft, stdio: 'pipe' });
    execFileSync('sh', ['-c', 'for archive in *.deb; do dpkg -x "$archive" root; done'], { cwd: draft });
    renameOver(join(draft, 'root'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/** Somebody else may have been first: then theirs is as good. */
function renameOver(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
