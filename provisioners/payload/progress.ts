import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Duration, Instant } from '../contract/time.ts';
import { writeWhole } from './cache.ts';

/** What a build, a fetch or a verification is doing, in the shape of any wait of Remuda. */
export interface PayloadProgress {
  /** For people, in the present: `compiling Kubernetes v1.20.2`. */
  readonly what: string;
  /** How much of the current stage is done, in units of `total`. */
  readonly done: number;
  /** Units of the current stage; 0 when it cannot be counted. */
  readonly total: number;
  /** When the current stage began. */
  readonly since: Instant;
  /** How long this stage usually takes (here, else on a 2-core machine); 0 when unknown. */
  readonly usually: Duration;
  /** Estimate for this stage and all later ones. */
  readonly remaining: Duration;
}

/** Receives progress; must not throw. */
export type OnProgress = (progress: PayloadProgress) => void;

/** A stage that is known to come: its name in the timings, what people read, what it usually takes. */
export interface Stage {
  readonly name: string;
  readonly what: string;
  readonly usually: Duration;
}

const timingsFile = z.record(z.string(), z.number().nonnegative());

/**
 * Follows a list of stages. Estimates begin with the built-in numbers and become this machine's own: each finished
 * stage writes its time into the timings file.
 */
export class StageClock {
  readonly #stages: readonly Stage[];
  readonly #file: string;
  readonly #onProgress: OnProgress;
  #timings: Record<string, number> = {};

  constructor(stages: readonly Stage[], file: string, onProgress: OnProgress) {
    this.#stages = stages;
    this.#file = file;
    this.#onProgress = onProgress;
  }

  /** Reads earlier timings; unreadable ones are no reason to fail. */
  async start(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => '{}');
    try {
      this.#timings = timingsFile.parse(JSON.parse(text));
    } catch {
      this.#timings = {};
    }
  }

  /** What all stages together usually take, here once they have run. Call {@link start} first. */
  estimate(): Duration {
    return this.#stages.reduce((sum, stage) => sum + this.#usually(stage), 0);
  }

  /**
   * Runs one stage. `work` gets a function that takes how much is done of how much.
   */
  async run<Result>(
    name: string,
    work: (step: (done: number, total: number) => void) => Promise<Result>,
  ): Promise<Result> {
    const index = this.#stages.findIndex((stage) => stage.name === name);
    const stage = this.#stages[index];
    if (stage === undefined) throw new Error(`the stage ${name} was not announced`);
    const begun = Date.now();
    const usually = this.#usually(stage);
    const later = this.#stages.slice(index + 1).reduce((sum, next) => sum + this.#usually(next), 0);
    const report = (done: number, total: number): void => {
      const spent = Date.now() - begun;
      // Early counts mislead; until a tenth is done the usual time is the better guess.
      const own =
        total > 0 && done / total >= 0.1 ? (spent * (total - done)) / done : Math.max(usually - spent, 0);
      const since = new Date(begun).toISOString();
      this.#onProgress({ what: stage.what, done, total, since, usually, remaining: Math.round(own + later) });
    };
    report(0, 0);
    const result = await work(report);
    const spent = Date.now() - begun;
    // So much faster than usual means that it came from the cache, which says nothing about the next time.
    if (spent > usually / 10) await this.#remember(name, spent);
    return result;
  }

  #usually(stage: Stage): Duration {
    return this.#timings[stage.name] ?? stage.usually;
  }

  async #remember(name: string, spent: Duration): Promise<void> {
    this.#timings = { ...this.#timings, [name]: spent };
    await writeWhole(this.#file, `${JSON.stringify(this.#timings, null, 2)}\n`);
  }
}
