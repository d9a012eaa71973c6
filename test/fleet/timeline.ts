import { modelEpoch } from './model/clock.ts';
import type { Fleet } from './model/fleet.ts';

/** One line of what happened. */
export interface Happening {
  /** Model time, ms. */
  readonly at: number;
  readonly what: string;
}

/** What happened in a run, as it happened: written by the harness, printed when a test is red. */
export class Timeline {
  readonly happenings: Happening[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  say(what: string): void {
    this.happenings.push({ at: this.#now(), what });
  }

  /** The last `lines` happenings together with the fleet's effects and violations, in order of model time. */
  print(fleet: Fleet, lines = 120): string {
    const all = [
      ...this.happenings,
      ...fleet.effects.map(({ at, call, target, by }) => ({ at, what: `EFFECT ${call} ${target} (${by})` })),
      ...fleet.violations.map(({ at, kind, detail }) => ({ at, what: `VIOLATION ${kind}: ${detail}` })),
    ];
    all.sort((a, b) => a.at - b.at);
    const shown = all
      .slice(-lines)
      .map(({ at, what }) => `${((at - modelEpoch) / 1000).toFixed(3).padStart(10)} s  ${what}`);
    return [`--- timeline (last ${shown.length} of ${all.length}) ---`, ...shown].join('\n');
  }
}
