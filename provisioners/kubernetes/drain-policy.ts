import { z } from 'zod';
import { minutes, seconds } from '../contract/time.ts';

/** What a drain may do, and what it does with pods that a budget holds. Durations are in milliseconds. */
export const drainPolicySchema = z.strictObject({
  /** Pods that nothing would make again elsewhere: `refuse` stops before any pod is moved. */
  unmanaged: z.enum(['refuse', 'delete']),
  /** Pods whose emptyDir volumes are lost with them: `refuse` stops before any pod is moved. */
  emptyDir: z.enum(['refuse', 'delete']),
  /**
   * What becomes of pods that do not go: `wait` until they do; `skip` leaves them on the node; `force` deletes those
   * that a PodDisruptionBudget holds, past the budget.
   */
  whenBlocked: z.enum(['wait', 'skip', 'force']),
  /** Time each pod has to end; its own when absent. With none it would leave the API while it may still run. */
  gracePeriod: z.int().min(seconds(1)).exactOptional(),
  /**
   * How long `skip` and `force` wait, from the beginning of the drain, for a budget that may yet yield: five minutes
   * when absent, because a replacement that becomes ready frees the next pod.
   */
  forceAfter: z.int().nonnegative().exactOptional(),
});
export type DrainPolicy = z.infer<typeof drainPolicySchema>;

/** How long `skip` and `force` wait where nobody said: most replacements are ready by then. */
export const usualPatience = minutes(5);
