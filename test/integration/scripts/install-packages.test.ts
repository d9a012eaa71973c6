import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
}

/** A clone with nothing but what the script reads, and a fake Node and npm that write down how they were called. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-install-'));
  for (const name of ['scripts', 'bin', 'node_modules']) mkdirSync(join(folder, name));
  for (const name of ['package.json', 'package-lock.json', 'scripts/install-packages', 'scripts/still'])
    copyFileSync(join(root, name), join(folder, name));
  program(
    join(folder, 'bin/npm'),
    `echo "npm $*" >>"${folder}/calls"
[ -z "$FAKE_NPM_FAILS" ] || exit 1
[ "$2" != --prefix ] || for arch in x64 arm64; do
  mkdir -p "$3/node_modules/node-linux-$arch/bin"
  printf '#!/bin/sh\\necho "own-node $*" >>"${folder}/calls"\\n' >"$3/node_modules/node-linux-$arch/bin/node"
  chmod +x "$3/node_modules/node-linux-$arch/bin/node"
done
`,
  );
  program(join(folder, 'bin/node'), 'echo "$FAKE_NODE"\n');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the script beside a Node of that version; what was called, without the names of temporary folders. */
function install(nodeVersion: string, more: Readonly<Record<string, string>> = {}) {
  const { status } = spawnSync(join(folder, 'scripts/install-packages'), [], {
    env: {
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      TMPDIR: folder,
      FAKE_NODE: nodeVersion,
      FAKE_NPM_FAILS: '',
      ...more,
    },
  });
  const calls = existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '';
  return { status, calls: calls.split('\n').filter(Boolean) };
}

const isStamped = (): boolean => existsSync(join(folder, 'node_modules/.remuda-lock'));

describe('scripts/install-packages', () => {
  test.each(['v20.19.2', 'v20.20.0', 'v22.12.0', 'v24.21.0', 'v30.0.0'])(
    'the npm beside Node %s installs everything, and a second run nothing',
    (version) => {
      expect(install(version)).toEqual({
        status: 0,
        calls: [expect.stringMatching(/^npm install --no-save/)],
      });
      expect(isStamped()).toBe(true);
      expect(install(version).calls).toHaveLength(1);
    },
  );

  test.each(['v18.20.4', 'v20.18.1', 'v21.7.3'])(
    'beside Node %s, for which npm leaves out the binaries of bundler and linter, our own Node runs an npm of its own',
    (version) => {
      const { status, calls } = install(version);
      expect(status).toBe(0);
      const own = /node-linux-(x64|arm64)@24\.\d+\.\d+ npm@\d+\.\d+\.\d+$/;
      expect(calls).toEqual([
        expect.stringMatching(own),
        expect.stringMatching(/^own-node \S+\/node_modules\/npm\/bin\/npm-cli\.js install --no-save/),
      ]);
      expect(isStamped()).toBe(true);
    },
  );

  test.each(['v18.20.4', 'v24.21.0'])('beside Node %s an npm that fails leaves no stamp', (version) => {
    expect(install(version, { FAKE_NPM_FAILS: 'yes' }).status).not.toBe(0);
    expect(isStamped()).toBe(false);
  });
});
