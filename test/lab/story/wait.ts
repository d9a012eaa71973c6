import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks until something is so; `limit` (milliseconds) is a safety net and no expectation of speed.
 * @throws Error naming what did not come, with `seen` (what was there instead).
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { limit = 240_000, every = 100, seen }: UntilOptions = {},
): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= deadline)
      throw new Error(`${what} did not come within ${limit / 1000} s; ${seen?.() ?? 'nothing was seen'}`);
    await sleep(every);
  }
}

interface UntilOptions {
  readonly limit?: number;
  readonly every?: number;
  readonly seen?: () => string;
}
