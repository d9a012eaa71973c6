import { z } from 'zod';

const entrySchema = z.strictObject({ type: z.string(), id: z.string(), name: z.string() });

/** Something outside of every machine that a deletion was to give back, as people know it. */
export type ReleasedEntry = z.infer<typeof entrySchema>;

/**
 * What has become of what a cluster's controllers had made at the provider, as its own API told it; the three lists of a
 * teardown ({@link import('./provider.ts').TeardownProof}).
 */
export const releasedSchema = z.strictObject({
  of: z.enum(['balancers', 'volumes']),
  gone: z.array(entrySchema),
  kept: z.array(entrySchema.extend({ policy: z.string() })),
  left: z.array(entrySchema.extend({ why: z.string() })),
});
export type Released = z.infer<typeof releasedSchema>;

/** What a step that gives back leaves to the proof. */
export const releaseFactsSchema = z.strictObject({ lists: releasedSchema });
export type ReleaseFacts = z.infer<typeof releaseFactsSchema>;

/** What to do with something that does not go though it was told to. Durations are in milliseconds. */
export const releasePolicySchema = z.strictObject({
  /** `wait` until it goes; `skip`: go on without it after a while, and say that it is left. */
  whenBlocked: z.enum(['wait', 'skip']),
  /** How long `skip` waits, from the beginning of the step. */
  skipAfter: z.int().nonnegative(),
});
export type ReleasePolicy = z.infer<typeof releasePolicySchema>;
