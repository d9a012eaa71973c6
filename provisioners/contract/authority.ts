import { z } from 'zod';

const secretSchema = z.strictObject({ secretRef: z.string() });

/**
 * Whose certificate authority signs a cluster's own authorities, where they do not sign themselves (row H12). What it
 * needs to know of secrets are their names.
 */
export const authoritySourceSchema = z.discriminatedUnion('type', [
  /** An intermediate authority that somebody gives: its secret holds `tls.crt` (with what signed it) and `tls.key`. */
  z.strictObject({ type: z.literal('given'), credentials: secretSchema }),
  /** A server that signs by the API of Vault's and OpenBao's PKI engine; its secret holds `token`. */
  z.strictObject({
    type: z.literal('server'),
    /** `https://host[:port]`. */
    url: z.string(),
    /** Where the engine is mounted. */
    mount: z.string(),
    credentials: secretSchema,
    /** PEM of the only authorities that are believed when the server says who it is. */
    trusted: z.string().exactOptional(),
  }),
]);
export type AuthoritySource = z.infer<typeof authoritySourceSchema>;
