import { z } from 'zod';
import { eventSchema, logLineSchema } from './operation.ts';

/** Path of the live connection (socket.io). The token goes in the handshake's `auth.token`. */
export const livePath = '/api/v1/live';

/**
 * What a client asks to follow, after the last number it holds; sent again after a reconnect. Acknowledged once it is
 * followed: what is read over HTTP after that misses nothing.
 */
export const followSchema = z.strictObject({
  /** Events after this number, or without one from now on; absent = no events. */
  events: z.strictObject({ after: z.int().min(0).exactOptional() }).exactOptional(),
  /** Only those of one cluster or operation. */
  cluster: z.string().max(63).exactOptional(),
  operation: z.string().max(64).exactOptional(),
  /** Log lines of `operation` after this number; absent = none. */
  log: z.strictObject({ after: z.int().min(0) }).exactOptional(),
});
export type Follow = z.input<typeof followSchema>;

/** One batch; the next comes when this one is acknowledged. */
export const batchSchema = z.object({
  events: z.array(eventSchema).readonly(),
  lines: z.array(logLineSchema).readonly(),
  /** Lines that the size cap dropped before the first of these. */
  dropped: z.int(),
  /** Number of the last event looked at, also when it was not for this client; 0 = none yet. */
  position: z.int(),
});
export type Batch = z.infer<typeof batchSchema>;
