/**
 * What a bench found goes to standard output as rows of the table in ui/docs/benchmarks.md; what it is doing goes to
 * standard error. So `scripts/bench > rows.md` keeps the rows alone, and nobody waits before a silent terminal.
 */

const began = performance.now();

/** Says what is being done now, with the seconds since the bench began. */
export function say(what: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  ${what}\n`);
}

/** Prints one row: what was measured, what came out, and the goal of DESIGN §9 where there is one. */
export function row(what: string, measured: string, goal = ''): void {
  console.log(`| ${what} | ${measured} | ${goal} |`.replaceAll('|  |', '| |'));
}

/** The value at a share of the sorted values: 0.5 = median, 0.99 = p99. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
