import { z } from 'zod';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { AnyStep, Observation, StepContext, StepLimits } from '../../../provisioners/contract/step.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { AttemptRunner } from '../../../appliance/agent/attempts.ts';
import type { Clock } from '../../../appliance/agent/clock.ts';
import type { AgentReport, Dispatch, Outcome } from '../../../appliance/agent/protocol/dispatch.ts';
import { AttemptStore } from '../../../appliance/agent/store.ts';

/** A fake clock: sleeping passes the time at once, in the order of the deadlines. */
export class FakeClock implements Clock {
  #now = Date.parse('2026-11-21T05:00:00.000Z');
  #sleepers: { readonly at: number; wake(): void }[] = [];
  #isTurning = false;

  now(): string {
    return new Date(this.#now).toISOString();
  }

  random(): number {
    return 0.5;
  }

  sleep(duration: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const sleeper = { at: this.#now + duration, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
      this.#turn();
    });
  }

  /** Time goes on only when nothing else is to be done. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      const next = this.#sleepers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) return;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      if (this.#sleepers.length > 0) this.#turn();
    });
  }
}

/** A fake step over a thing that a test owns. */
export interface FakeThing {
  observe(context: StepContext): Promise<Observation<Json>> | Observation<Json>;
  apply(context: StepContext): Promise<void> | void;
}

export const limits: StepLimits = { soft: 60_000, hard: 600_000, attempts: 3 };

export function fakeStep(thing: FakeThing, overrides: Partial<AnyStep> = {}): AnyStep {
  return {
    kind: 'thing.make',
    version: 2,
    nature: 'ensure',
    phase: 'machines',
    destructive: false,
    title: () => 'Make the thing',
    schema: z.strictObject({ size: z.int() }),
    observe: async (context) => thing.observe(context),
    apply: async (context) => thing.apply(context),
    limits,
    ...overrides,
  };
}

export function dispatchOf(overrides: Partial<Dispatch> = {}): Dispatch {
  return {
    key: { operation: 'op-1', step: 'thing.make/a', attempt: 1 },
    epoch: 1,
    kind: 'thing.make',
    version: 2,
    input: { size: 3 },
    context: {
      cluster: { uid: 'u1', name: 'east' },
      provider: { name: 'p', type: 'lab', config: {} },
      secrets: {},
    },
    ...overrides,
  };
}

/** A runner over a fake step; the ports are none, because the fake step uses none. */
export function bench(
  step: AnyStep,
  options: { store?: AttemptStore; clock?: Clock; epoch?: number } = {},
): { runner: AttemptRunner; store: AttemptStore; clock: Clock; reports(): readonly AgentReport[] } {
  const store = options.store ?? new AttemptStore(':memory:');
  const clock = options.clock ?? new FakeClock();
  const runner = new AttemptRunner({
    steps: new Map([[step.kind, step]]),
    store,
    clock,
    epoch: options.epoch ?? 1,
    ports: (work) => {
      work.hide('hunter2-secret');
      return {} as Ports;
    },
  });
  return { runner, store, clock, reports: () => runner.reports(0, 100_000) };
}

/** Resolves with the attempt's end as it is reported. */
export async function outcomeOf(reports: () => readonly AgentReport[], attempt = 1): Promise<Outcome> {
  for (let turns = 0; turns < 20_000; turns += 1) {
    for (const report of reports())
      if (report.type === 'ended' && report.key.attempt === attempt) return report.outcome;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the attempt did not end');
}
