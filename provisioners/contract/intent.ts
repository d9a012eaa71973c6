import { z } from 'zod';

/**
 * What an operation is to bring about that no document says: what is wanted once, of a cluster that is there. It travels
 * with the plan, so that whoever plans again plans for the same. Holds no secret.
 */
export const intentSchema = z.discriminatedUnion('kind', [
  /** Ends an upgrade: the machines that were kept for the way back are destroyed (DESIGN §5). */
  z.strictObject({ kind: z.literal('finalize') }),
  /**
   * Makes the certificates anew that kubeadm makes: of every master, or of those named, as far as they were made before
   * `since`. Where nobody says since when, the planner does, and the plan carries it.
   */
  z.strictObject({
    kind: z.literal('renew'),
    machines: z.array(z.string().max(63)).min(1).max(100).exactOptional(),
    since: z.iso.datetime().exactOptional(),
  }),
]);
export type Intent = z.infer<typeof intentSchema>;
