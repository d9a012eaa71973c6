/**
 * Time to plan 1,000 machines (DESIGN §9: < 1 s): from nothing, unchanged, and one more worker. Run with Node 24; prints
 * the median of five.
 */
import { planCluster } from '../../daemon/planning/planner.ts';
import { cluster, finished, nothing, request } from '../unit/planning/scenario.ts';

const runs = 5;

function median(work: () => unknown): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return times.toSorted((one, other) => one - other)[Math.floor(runs / 2)] ?? Number.NaN;
}

const desired = cluster(7, 993);
const whole = finished(desired);
const print = (what: string, time: number): void =>
  console.log(`${what.padEnd(40)} ${time.toFixed(0).padStart(6)} ms`);
print(
  '1,000 machines from nothing',
  median(() => planCluster(request(desired, nothing()))),
);
print(
  '1,000 machines, nothing to do',
  median(() => planCluster(request(desired, whole))),
);
print(
  'one more worker at 1,000 machines',
  median(() => planCluster(request(cluster(7, 994), whole))),
);
