/** A point in time: RFC 3339 in UTC with milliseconds, for example `2026-11-21T05:00:00.000Z`. */
export type Instant = string;

/** A length of time in milliseconds. */
export type Duration = number;

/** Seconds as a {@link Duration}. */
export const seconds = (count: number): Duration => count * 1000;

/** Minutes as a {@link Duration}. */
export const minutes = (count: number): Duration => count * 60_000;
