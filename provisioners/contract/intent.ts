import { z } from 'zod';

/**
 * What an operation is to bring about that no document says: what is wanted once, of a cluster that is there. It travels
 * with the plan, so that whoever plans again plans for the same. Holds no secret.
 */
export const intentSchema = z.discriminatedUnion('kind', [
  /** Ends an upgrade: the machines that were kept for the way back are destroyed (DESIGN §5). */
  z.strictObject({ kind: z.literal('finalize') }),
]);
export type Intent = z.infer<typeof intentSchema>;
