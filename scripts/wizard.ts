/**
 * Builds the web wizard: static files in ui/wizard/dist, which the daemon serves. A build is kept in the cache under
 * the hash of everything that goes into it, so that a second clone, or the same sources again, costs only a copy.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'ui/wizard/dist');
/** Root's builds lie with the other things that are built; anybody else has a cache of her own. */
const ownCache = process.getuid?.() === 0 ? '/var/cache/remuda' : join(homedir(), '.cache/remuda');
const cache = join(process.env['REMUDA_CACHE'] ?? ownCache, 'wizard');
/** Builds that are kept: enough for going back and forth between two branches. */
const buildsKept = 4;
const stamp = '.remuda-build';

/** Hash of the sources, of the API's types that they import, and of the packages. */
function hashOfInputs(): string {
  // This file is among them: it decides what a build is.
  const patterns = [
    'scripts/wizard.ts',
    'ui/wizard/{index.html,vite.config.ts}',
    'ui/wizard/src/**/*',
    'daemon/api/schemas/*.ts',
  ];
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  const hash = createHash('sha256');
  for (const file of [...files, 'package-lock.json', 'tsconfig.json']) {
    const path = join(root, file);
    if (!statSync(path).isFile()) continue;
    hash.update(`${file}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}

/** Runs vite into a folder. Ends the process with vite's own words when it fails. */
function build(into: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      '--config',
      join(root, 'ui/wizard/vite.config.ts'),
    ],
    { cwd: root, encoding: 'utf8', env: { ...process.env, REMUDA_WIZARD_OUT: into } },
  );
  if (status === 0) return;
  rmSync(into, { recursive: true, force: true });
  console.error(`${stdout}${stderr}\nscripts/wizard: the build failed; the reason stands above.`);
  process.exit(1);
}

/** The daemon compresses nothing itself: what compresses well lies there compressed. */
function compress(folder: string): void {
  for (const file of globSync('**/*.{js,css,svg}', { cwd: folder })) {
    const path = join(folder, file);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

/** The build of these sources in the cache, made when it is not there. Whole or not at all. */
function buildInCache(hash: string): string {
  const kept = join(cache, hash);
  if (existsSync(kept)) {
    utimesSync(kept, new Date(), new Date());
    return kept;
  }
  mkdirSync(cache, { recursive: true });
  const stage = mkdtempSync(join(cache, '.stage-'));
  build(stage);
  compress(stage);
  try {
    renameSync(stage, kept);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    // Somebody else built the same meanwhile.
    if (!existsSync(kept)) throw error;
  }
  const age = (name: string): number => statSync(join(cache, name)).mtimeMs;
  const old = readdirSync(cache)
    .filter((name) => !name.startsWith('.'))
    .sort((a, b) => age(b) - age(a));
  for (const name of old.slice(buildsKept)) rmSync(join(cache, name), { recursive: true, force: true });
  return kept;
}

const hash = hashOfInputs();
const isCurrent = existsSync(join(dist, stamp)) && readFileSync(join(dist, stamp), 'utf8') === hash;
if (!isCurrent) {
  const built = buildInCache(hash);
  const stage = `${dist}.new-${process.pid}`;
  cpSync(built, stage, { recursive: true });
  writeFileSync(join(stage, stamp), hash);
  rmSync(dist, { recursive: true, force: true });
  renameSync(stage, dist);
}
console.log(`wizard: ui/wizard/dist is build ${hash.slice(0, 12)}${isCurrent ? ' already' : ''}`);
