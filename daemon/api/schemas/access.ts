import { z } from 'zod';
import { problemReportSchema } from './problem.ts';

const instant = z.string();
/** A DNS label (RFC 1123): names of tokens, sites and secrets. */
export const labelSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, at most 63');
/** What somebody may do, from the most to the least. `user`: nothing but what grants in clusters give. */
export const roleSchema = z.enum(['admin', 'operator', 'viewer', 'user']);
export type Role = z.infer<typeof roleSchema>;

/** What a token is cut down to; what is absent is not narrowed. */
export const tokenScopeSchema = z
  .object({
    verbs: z.array(z.string().max(40)).max(40).readonly().exactOptional(),
    clusters: z.array(z.string().max(63)).max(1000).readonly().exactOptional(),
  })
  .meta({ id: 'TokenScope' });

/** A secret as it may be shown: never its value. */
export const secretViewSchema = z
  .object({
    name: z.string(),
    keys: z.array(z.string()).readonly(),
    destination: z.string().exactOptional(),
    principal: z.string(),
    updatedAt: instant,
  })
  .meta({ id: 'Secret' });
export type SecretView = z.infer<typeof secretViewSchema>;

export const tokenViewSchema = z
  .object({
    name: z.string(),
    role: z.string(),
    principal: z.string().describe('Whom it stands for: `token:ci`, `user:alice`.'),
    createdAt: instant,
    expiresAt: instant.exactOptional(),
    lastUsedAt: instant.exactOptional().describe('To the minute.'),
    scope: tokenScopeSchema.exactOptional(),
  })
  .meta({ id: 'Token' });
export type TokenView = z.infer<typeof tokenViewSchema>;

export const issuedTokenSchema = z
  .object({ view: tokenViewSchema, token: z.string().describe('`<CA hash>.<secret>`, shown once.') })
  .meta({ id: 'IssuedToken' });
export type IssuedToken = z.infer<typeof issuedTokenSchema>;

export const agentViewSchema = z
  .object({
    site: z.string(),
    state: z.enum(['enrolled', 'connected', 'none']),
    epoch: z.int(),
    release: z.string().exactOptional(),
    enrolledAt: instant.exactOptional(),
    lastSeen: instant.exactOptional(),
  })
  .meta({ id: 'Agent' });
export type AgentView = z.infer<typeof agentViewSchema>;

/** A single-use enrolment token, shown once. */
export const enrolmentTokenSchema = z
  .object({
    site: z.string(),
    token: z.string().describe('`<CA hash>.<secret>`, for one agent, once.'),
    expiresAt: instant,
  })
  .meta({ id: 'EnrolmentToken' });
export type EnrolmentToken = z.infer<typeof enrolmentTokenSchema>;

export const enrolRequestSchema = z
  .strictObject({
    secret: z.string().min(1).max(200),
    request: z.string().max(10_000).describe('PKCS#10, PEM.'),
    recipient: z.string().regex(/^age1[a-z0-9]{20,200}$/, 'must be an age recipient (age1…)'),
    release: z.string().max(100),
  })
  .meta({ id: 'EnrolRequest' });

export const enrolAnswerSchema = z
  .object({
    certificate: z.string(),
    authority: z.string(),
    site: z.string(),
    epoch: z.int(),
    linkPort: z.int(),
  })
  .meta({ id: 'EnrolAnswer' });

export const credentialSchema = z
  .object({
    certificate: z.string(),
    notAfter: instant,
    caCertificate: z.string(),
    server: z.string(),
    kubernetesVersion: z.string().describe('Version asked for; decides the exec plugin API.'),
  })
  .meta({ id: 'Credential' });
export type Credential = z.infer<typeof credentialSchema>;

export const auditRowSchema = z
  .object({
    number: z.int(),
    at: instant,
    principal: z.string(),
    verb: z.string(),
    object: z.string(),
    outcome: z.enum(['allowed', 'refused', 'failed']),
    detail: z.record(z.string(), z.unknown()).readonly(),
    previousHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditRow' });
export type AuditRow = z.infer<typeof auditRowSchema>;

export const serverSchema = z
  .object({
    release: z.string(),
    principal: z.string(),
    role: roleSchema,
    token: z.string().exactOptional().describe('Name of the token that the request came with.'),
    authorityHash: z.string(),
    startedAt: instant,
    problem: problemReportSchema.exactOptional().describe('Why it does not take on work just now.'),
  })
  .meta({ id: 'Server' });
export type ServerView = z.infer<typeof serverSchema>;

export const renewRequestSchema = z
  .strictObject({ request: z.string().max(10_000).describe('PKCS#10, PEM.') })
  .meta({ id: 'RenewRequest' });

export const siteTokenRequestSchema = z
  .strictObject({
    minutes: z
      .int()
      .min(1)
      .max(7 * 24 * 60)
      .default(60),
    replace: z.boolean().default(false).describe('Refuse the present agent from now on.'),
  })
  .meta({ id: 'SiteTokenRequest' });

export const tokenRequestSchema = z
  .strictObject({
    name: labelSchema,
    role: roleSchema,
    days: z.number().positive().max(366).describe('Tokens expire; a year is the most.'),
    scope: tokenScopeSchema.exactOptional(),
  })
  .meta({ id: 'TokenRequest' });
