/** Runs the checks and test rings in order, cheapest first, and ends with one line that counts tests. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installMissingPackages } from './packages.ts';
import { type Failure, printFailure, readTestReport, type TestReport } from './test-report.ts';

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
const failures: Failure[] = [];
/** Failed once and passed when their files were run again: races, of the product or of the test. */
const unsteady: Failure[] = [];

/** Runs vitest on a project, or on some files of it. */
function runTests(project: string, files: readonly string[]): TestReport {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-report-'));
  const report = join(folder, 'report.json');
  const isGreen = run('node_modules/vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...files,
  ]);
  try {
    const read = readTestReport(report, root);
    if (isGreen || read.failures.length > 0) return read;
    const message = 'vitest ended with an error that belongs to no test; it stands above';
    return { ...read, failures: [{ file: project, test: undefined, message }] };
  } catch {
    const message = `the ${project} run left no readable report`;
    return { passed: 0, skipped: 0, failures: [{ file: project, test: undefined, message }] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The most files that are run again: more than that is no race. */
const fewFiles = 2;

/**
 * One vitest project. Files with real processes, a browser or machines that fail are run once more with the same
 * seed, to tell a race from a defect that stays: what passes then is named at the end of the run as unsteady, with what
 * it said. `--full`, before a milestone closes, has no second run.
 */
function test(project: string): void {
  console.log(`\n== tests: ${project} (seed ${seed}; repeat with scripts/test --seed ${seed})`);
  const first = runTests(project, []);
  total.passed += first.passed;
  total.skipped += first.skipped;
  const files = [...new Set(first.failures.map((failure) => failure.file))].filter(
    (file) => file !== project,
  );
  const mayRepeat = project !== 'quick' && !options.full && files.length > 0 && files.length <= fewFiles;
  if (!mayRepeat) {
    failures.push(...first.failures);
    return;
  }
  console.log(`\n== again, to tell a race from a defect: ${files.join(', ')}`);
  const second = runTests(project, files);
  if (second.failures.length > 0) {
    failures.push(...first.failures);
    return;
  }
  unsteady.push(...first.failures);
  total.passed += first.failures.length;
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

total.failed = failures.length;
if (unsteady.length > 0) {
  console.log('\nunsteady: failed once, passed when run again; each is a race that wants finding');
  for (const failure of unsteady) console.log(printFailure(failure));
}
if (failures.length > 0) {
  console.log('\nfailed:');
  for (const failure of failures) console.log(printFailure(failure));
}
const among = unsteady.length === 0 ? '' : ` (${unsteady.length} of the passed unsteady)`;
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped${among}`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
