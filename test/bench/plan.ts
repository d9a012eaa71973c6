/**
 * The planner alone, a pure function, at 1,000 machines (DESIGN §9: < 1 s; one machine more costs the same as at 5):
 * from nothing, unchanged, and one more worker. The median of five. Prints; asserts nothing.
 */
import { planCluster } from '../../daemon/planning/planner.ts';
import { cluster, finished, nothing, request } from '../unit/planning/scenario.ts';
import { quantile, row, say } from './table.ts';

const runs = 5;

function median(what: string, work: () => unknown): string {
  say(`planning five times: ${what}`);
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return `${quantile(times, 0.5).toFixed(0)} ms`;
}

const desired = cluster(7, 993);
const whole = finished(desired);
const measure = (what: string, goal: string, work: () => unknown): void =>
  row(`plan of 1,000 machines: ${what}`, median(what, work), goal);
measure('from nothing', '< 1 s', () => planCluster(request(desired, nothing())));
measure('nothing to do', '', () => planCluster(request(desired, whole)));
measure('one worker more', 'the same as at 5', () => planCluster(request(cluster(7, 994), whole)));
