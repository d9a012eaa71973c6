/** Runs the checks and test rings in order, cheapest first, and ends with one line that counts tests. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { installMissingPackages } from './packages.ts';

const root = resolve(import.meta.dirname, '..');
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  const lines = readFileSync(join(root, 'scripts/test'), 'utf8').split('\n');
  console.log(
    lines
      .filter((line) => line.startsWith('# ') || line.startsWith('#   '))
      .map((line) => line.slice(2))
      .join('\n'),
  );
  process.exit(0);
}
const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});
const seed = options.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const environment = {
  ...process.env,
  REMUDA_RING: options.full ? 'full' : 'rotating',
  REMUDA_SEED: seed,
  PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
};

const countsSchema = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTotalTests: z.int(),
  success: z.boolean(),
});

/** Runs a program with our Node and our environment, output shown as it comes. */
function run(program: string, args: readonly string[]): boolean {
  const [command, ...before] =
    program.endsWith('.ts') || program.endsWith('.mjs') ? [process.execPath, program] : [program];
  const { status } = spawnSync(command, [...before, ...args], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  return status === 0;
}

/** A stage of the static checks; the first failure ends the run. */
function check(name: string, program: string, args: readonly string[]): void {
  const began = performance.now();
  console.log(`\n== ${name}`);
  if (!run(program, args)) {
    console.log(`\n${name} failed; no test was run`);
    process.exit(1);
  }
  console.log(`   ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

const total = { passed: 0, failed: 0, skipped: 0 };
const failedProjects: string[] = [];

/** One vitest project; counts are taken from its JSON report. */
function test(project: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-report-'));
  const report = join(folder, 'report.json');
  console.log(`\n== tests: ${project} (seed ${seed}; repeat with scripts/test --seed ${seed})`);
  const isGreen = run('node_modules/vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  try {
    const counts = countsSchema.parse(JSON.parse(readFileSync(report, 'utf8')));
    total.passed += counts.numPassedTests;
    total.failed += counts.numFailedTests;
    total.skipped += counts.numPendingTests;
  } catch {
    total.failed += 1;
    console.log(`the ${project} run left no readable report`);
  }
  if (!isGreen) failedProjects.push(project);
  rmSync(folder, { recursive: true });
}

check('format', 'biome', ['format', '--error-on-warnings', '.']);
check('lint', 'oxlint', ['--deny-warnings']);
check('imports', 'scripts/imports.ts', []);
check('types', 'tsc', ['-p', '.']);
check('dead code', 'knip', []);
check('wizard', 'scripts/wizard.ts', []);
test('quick');
if (!options.quick) {
  installMissingPackages();
  test('parts');
  test('browser');
  test('lab');
}

if (failedProjects.length > 0) console.log(`\nfailed: ${failedProjects.join(', ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(failedProjects.length === 0 && total.failed === 0 && total.passed > 0 ? 0 : 1);
