import { accessSync, constants, statfsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that are too long for every run; `scripts/test --full` has them. */
const rarely = process.env['REMUDA_RING'] === 'full' ? [] : ['test/lab/full/**'];

/** What a test asks again until it is so may take its time on a busy machine; vitest's own second is a race. */
const patient = { poll: { timeout: 100_000 } };

/** Vitest leaves a core to its own main thread; on two cores that is half the machine. */
const everyCore = { maxWorkers: availableParallelism() };

/** Where Linux keeps files in memory, and what must be free there, bytes: the rings leave some 700 MB while they run. */
const memory = { folder: '/dev/shm', least: 4 * 2 ** 30 };

/**
 * Folder for what tests write. Every state of ours waits for the disk at each step, which proves something only where
 * the power goes; a killed process finds all it wrote in memory too. The lab's machines stay on the disk.
 */
function fastFolder(): string {
  try {
    accessSync(memory.folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory.folder);
    return bavail * bsize >= memory.least ? memory.folder : tmpdir();
  } catch {
    return tmpdir();
  }
}
const inMemory = { env: { TMPDIR: fastFolder() } };

/**
 * Vitest begins with the largest files, and ours that take longest are small: begun last, they kept one core waiting for
 * the other for a minute and a half.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      /\/test\/faults\/(kill|boundaries-\w+|deletion-proof|start)\.test\.ts$/.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * Four projects, run one after the other by scripts/test: `quick` (no root, no machines), `parts` (real processes on
 * loopback), `browser` (the wizard in Chromium), `lab` (real hosts in namespaces; root; one at a time).
 */
export default defineConfig({
  test: {
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'quick',
          ...everyCore,
          ...inMemory,
          expect: patient,
          include: ['test/{unit,fleet}/**/*.test.ts', 'test/faults/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'parts',
          ...everyCore,
          ...inMemory,
          expect: patient,
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'browser',
          expect: patient,
          include: ['test/browser/**/*.test.ts'],
          ...everyCore,
          ...inMemory,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'lab',
          expect: patient,
          include: ['test/lab/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...rarely],
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
