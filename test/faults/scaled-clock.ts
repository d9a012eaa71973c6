import { modelEpoch, type FleetClock } from '../fleet/model/clock.ts';

/** What every process of a kill run is told, as JSON in `REMUDA_KILL_RUN`. */
export interface KillRun {
  readonly folder: string;
  /** Where Node keeps what it compiled, for all processes of all runs. */
  readonly compiled: string;
  /** Unix socket of the model's process. */
  readonly modelSocket: string;
  /** Real time at which model time began, ms. */
  readonly start: number;
  /** Model milliseconds a real millisecond. */
  readonly scale: number;
  readonly linkPort: number;
  readonly epoch: number;
}

/** The run this process belongs to. */
export function killRun(): KillRun {
  const text = process.env['REMUDA_KILL_RUN'];
  if (text === undefined) throw new Error('this process is started by the kill test only');
  return JSON.parse(text) as KillRun;
}

/** Model time that runs with real time, many times faster: the same for every process of a run. */
export function scaledClock(run: Pick<KillRun, 'start' | 'scale'>): FleetClock {
  const milliseconds = (): number => modelEpoch + (Date.now() - run.start) * run.scale;
  const later = (duration: number, act: () => void): (() => void) => {
    const timer = setTimeout(act, duration / run.scale);
    return () => clearTimeout(timer);
  };
  return {
    milliseconds,
    now: () => new Date(milliseconds()).toISOString(),
    later,
    sleep: (duration, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal?.aborted === true) {
        reject(signal.reason);
        return promise;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = later(duration, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      return promise;
    },
  };
}
