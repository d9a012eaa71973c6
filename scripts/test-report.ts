import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const reportSchema = z.object({
  numPassedTests: z.int(),
  numPendingTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

/** One failed test, or a file that could not be run (`test` is then undefined). */
export interface Failure {
  /** Relative to the root of the checkout. */
  readonly file: string;
  readonly test: string | undefined;
  readonly message: string;
}

/** What one vitest run says of itself in its JSON report. */
export interface TestReport {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/** Reads the JSON report of a vitest run. @throws when there is none or it has another form. */
export function readTestReport(path: string, root: string): TestReport {
  const report = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const failures = report.testResults.flatMap((result): Failure[] => {
    const file = relative(root, result.name);
    const tests = result.assertionResults.filter((one) => one.status === 'failed');
    if (tests.length === 0) {
      return result.status === 'failed' ? [{ file, test: undefined, message: result.message }] : [];
    }
    return tests.map((one) => ({ file, test: one.fullName, message: one.failureMessages.join('\n') }));
  });
  return { passed: report.numPassedTests, skipped: report.numPendingTests, failures };
}

/** A failure as the end of a run shows it: where, and the first lines of why. */
export function printFailure(failure: Failure): string {
  const why = stripVTControlCharacters(failure.message)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 14)
    .map((line) => `    ${line.slice(0, 300)}`);
  return [`  ${failure.file}${failure.test === undefined ? '' : `: ${failure.test}`}`, ...why].join('\n');
}
