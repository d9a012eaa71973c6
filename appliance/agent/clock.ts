import type { Duration, Instant } from '../../provisioners/contract/time.ts';

/** Time and chance, injected so that tests own both. */
export interface Clock {
  now(): Instant;
  /** Resolves after the duration; rejects with the signal's reason when it aborts first. */
  sleep(duration: Duration, signal: AbortSignal): Promise<void>;
  /** In [0, 1), for jitter only, never for secrets. */
  random(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  sleep: (duration, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, duration);
      signal.addEventListener('abort', onAbort, { once: true });
    }),
  random: () => Math.random(),
};
