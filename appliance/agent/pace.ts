import type { Duration } from '../../provisioners/contract/time.ts';
import type { Clock } from './clock.ts';

/** First and longest pause after an error. */
const firstBackoff: Duration = 1000;
const longestBackoff: Duration = 30_000;

/**
 * Longest pause after one machine did not answer: power and cable come back without telling anybody, and a single
 * machine is not burdened by being asked often. With the three seconds that ssh/connection.ts gives a
 * call, work goes on within 5 s of the machine's return.
 */
const longestForMachine: Duration = 2500;

/** First and longest pause between two looks at something under way. */
const firstLook: Duration = 250;
const longestLook: Duration = 3000;

/**
 * Pause after the n-th error in a row: doubling from 1 s to 30 s, half of it by chance, so that many that failed
 * together do not come back together ("equal jitter", AWS Architecture Blog, Exponential Backoff And Jitter, 2015).
 * `of`: what did not answer; things that many share are asked ever more seldom.
 */
export function backoff(failures: number, clock: Clock, of: 'machine' | 'shared' = 'shared'): Duration {
  const longest = of === 'machine' ? longestForMachine : longestBackoff;
  const full = Math.min(longest, firstBackoff * 2 ** (failures - 1));
  return Math.round(full / 2 + (full / 2) * clock.random());
}

/** Pause before the n-th further look (from 0): short at first, so that quick work costs no waiting. */
export function lookAgain(looks: number, clock: Clock): Duration {
  const full = Math.min(longestLook, firstLook * 1.5 ** looks);
  return Math.round(full * (0.9 + 0.2 * clock.random()));
}
