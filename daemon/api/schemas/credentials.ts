import { z } from 'zod';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');

/** What a person holds for getting into a cluster. */
export const clusterCredentialSchema = z
  .object({
    id: z.string(),
    cluster: z.string(),
    principal: z.string(),
    kind: z.enum(['kubeconfig', 'token']),
    state: z.enum(['active', 'revoked', 'expired']),
    issuedAt: instant,
    expiresAt: instant.exactOptional().describe('Of a token; absent for a kubeconfig: it renews itself.'),
    lastUsedAt: instant.exactOptional(),
    revokedAt: instant.exactOptional(),
    revokedBy: z.string().exactOptional(),
    validUntil: instant
      .exactOptional()
      .describe('Until when the last certificate signed for it is good: it cannot be called back.'),
  })
  .meta({ id: 'ClusterCredential' });
export type ClusterCredential = z.infer<typeof clusterCredentialSchema>;

/** A new credential, shown once. */
export const issuedCredentialSchema = z
  .object({
    credential: clusterCredentialSchema,
    kubeconfig: z.string().describe('A whole kubeconfig file. That of kind `token` holds the token.'),
    token: z.string().exactOptional().describe('Of kind `token`, alone.'),
  })
  .meta({ id: 'IssuedCredential' });
export type IssuedCredential = z.infer<typeof issuedCredentialSchema>;

/** What is asked for: a kubeconfig that fetches short certificates, or a token for programs that cannot. */
export const newCredentialRequestSchema = z
  .strictObject({
    kind: z.enum(['kubeconfig', 'token']),
    days: z.int().min(1).max(366).exactOptional().describe('Of a token; default 30.'),
  })
  .meta({ id: 'NewCredentialRequest' });
