import { z } from 'zod';
import { labelSchema, roleSchema, tokenScopeSchema } from './access.ts';
import { newPasswordSchema, principalSchema, userNameSchema } from './door.ts';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');
/** A person, local or seen in a directory. */
export const userSchema = principalSchema
  .extend({
    state: z.enum(['active', 'invited', 'disabled']),
    directory: z.string().exactOptional(),
    secondFactor: z.boolean(),
    createdAt: instant,
    lastSignInAt: instant.exactOptional(),
    invitationEndsAt: instant.exactOptional(),
    isLastAdministrator: z.boolean().describe('Cannot be removed, disabled or given a lesser role.'),
  })
  .meta({ id: 'User' });
export type UserView = z.infer<typeof userSchema>;

/** With a password, or (without one) an invitation with which the person chooses her own. */
export const userRequestSchema = z
  .strictObject({
    name: userNameSchema,
    role: roleSchema,
    password: newPasswordSchema.exactOptional(),
    invite: z.boolean().exactOptional().describe('The default when there is no password.'),
  })
  .meta({ id: 'UserRequest' });

export const invitationSchema = z
  .object({ code: z.string().describe('Shown once; works once.'), expiresAt: instant })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof invitationSchema>;

/** A person, and how she gets in for the first time. */
export const userAnswerSchema = z
  .object({ user: userSchema, invitation: invitationSchema.exactOptional() })
  .meta({ id: 'UserAnswer' });
export type UserAnswer = z.infer<typeof userAnswerSchema>;

/** What is given is changed. A role change ends the person's sessions. */
export const userChangeSchema = z
  .strictObject({
    role: roleSchema.exactOptional(),
    isDisabled: z.boolean().exactOptional(),
    invite: z
      .literal(true)
      .exactOptional()
      .describe('A new invitation: for a forgotten password. The second factor is removed, sessions end.'),
  })
  .meta({ id: 'UserChange' });

/** A role in one cluster, for a person, a service account, or a group of a directory. */
export const grantSchema = z
  .object({
    id: z.string(),
    cluster: z.string(),
    principal: z.string().exactOptional(),
    group: z.string().exactOptional(),
    role: roleSchema,
    grantedBy: z.string(),
    at: instant,
  })
  .meta({ id: 'Grant' });
export type GrantView = z.infer<typeof grantSchema>;

/** Either `principal` (id: `user:alice`, `token:ci`) or `group`. Given again, the role is replaced. */
export const grantRequestSchema = z
  .strictObject({
    principal: z.string().max(200).exactOptional(),
    group: z.string().min(1).max(500).exactOptional(),
    role: roleSchema,
  })
  .refine(
    ({ principal, group }) => (principal === undefined) !== (group === undefined),
    'give either principal or group',
  )
  .meta({ id: 'GrantRequest' });

/** A named account for a program. */
export const serviceAccountSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    grants: z.record(z.string(), roleSchema).readonly(),
    createdAt: instant,
    tokens: z.int().describe('Valid ones.'),
    lastUsedAt: instant.exactOptional(),
  })
  .meta({ id: 'ServiceAccount' });
export type ServiceAccountView = z.infer<typeof serviceAccountSchema>;

export const serviceAccountRequestSchema = z
  .strictObject({
    name: labelSchema,
    role: roleSchema,
    grants: z.record(z.string().max(63), roleSchema).default({}),
  })
  .meta({ id: 'ServiceAccountRequest' });

export const accountTokenRequestSchema = z
  .strictObject({
    name: labelSchema,
    days: z.number().positive().max(366).describe('Tokens expire; a year is the most.'),
    scope: tokenScopeSchema.exactOptional(),
  })
  .meta({ id: 'AccountTokenRequest' });

/** One way in: somebody, a cluster, the role there, and what she holds for it. */
export const accessEntrySchema = z
  .object({
    principal: z.string(),
    name: z.string(),
    kind: z.enum(['person', 'service', 'group']),
    cluster: z.string(),
    role: roleSchema,
    through: z.enum(['global', 'grant', 'group']),
    credentials: z.int().describe('Valid credentials for this cluster.'),
    lastUsedAt: instant.exactOptional(),
  })
  .meta({ id: 'AccessEntry' });
export type AccessEntry = z.infer<typeof accessEntrySchema>;
