import { z } from 'zod';
import { roleSchema } from './access.ts';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');

/** Names of people here: letters, digits, dots, dashes and underscores. Those of a directory end in `@directory`. */
export const userNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be lower-case letters, digits, dots, dashes and underscores, at most 63',
  );
/** NIST SP 800-63B §3.1.1.2: at least fifteen characters where a password stands alone, all characters allowed. */
export const newPasswordSchema = z
  .string()
  .min(15, 'must have at least 15 characters: a sentence is easier to keep than a puzzle')
  .max(256);
/** Any text: what was typed is compared, never judged. */
const typedPassword = z.string().max(1024);

/** All that a stranger may learn. */
export const doorSchema = z
  .object({
    state: z.enum(['unclaimed', 'claimed']),
    claimedAt: instant.exactOptional(),
    server: z.string().describe('Name of this server, as its host calls itself.'),
    release: z.string(),
    directories: z.array(z.object({ name: z.string(), title: z.string() })).readonly(),
    authority: z.object({
      fingerprint: z.string().describe("SHA-256 of the site CA's public key, hex: as scripts/up prints it."),
    }),
  })
  .meta({ id: 'Door' });
export type Door = z.infer<typeof doorSchema>;

/** Makes the first administrator. */
export const claimRequestSchema = z
  .strictObject({
    code: z.string().min(1).max(100).describe('The set-up code; dashes, spaces and case do not matter.'),
    name: userNameSchema,
    password: newPasswordSchema,
  })
  .meta({ id: 'ClaimRequest' });

/** Accepts an invitation: the person chooses her own password. */
export const acceptRequestSchema = z
  .strictObject({ code: z.string().min(1).max(100), password: newPasswordSchema })
  .meta({ id: 'AcceptRequest' });

export const signInRequestSchema = z
  .strictObject({
    name: z.string().min(1).max(256),
    password: typedPassword,
    code: z
      .string()
      .max(64)
      .exactOptional()
      .describe('One-time or recovery code, when the answer before asked for it (428).'),
    directory: z.string().max(63).exactOptional().describe('Ask this directory instead of the local people.'),
  })
  .meta({ id: 'SignInRequest' });

/** Who somebody is and what she may do. */
export const principalSchema = z
  .object({
    id: z.string().describe('As in audit rows and operations: `user:alice`, `token:ci`.'),
    name: z.string(),
    role: roleSchema,
    grants: z
      .record(z.string(), roleSchema)
      .readonly()
      .describe('Cluster → role there, beside the global role.'),
    source: z.enum(['local', 'directory', 'token']),
  })
  .meta({ id: 'Principal' });
export type PrincipalView = z.infer<typeof principalSchema>;

/** The session of the caller. Requests with `X-Remuda-Background: 1` do not put off its idle end. */
export const sessionSchema = z
  .object({
    principal: principalSchema,
    csrf: z.string().describe('For the header X-Remuda-Csrf of requests that change something.'),
    idleEndsAt: instant,
    endsAt: instant,
    secondFactor: z.boolean(),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionSchema>;

/** A session in lists. */
export const sessionEntrySchema = z
  .object({
    id: z.string(),
    principal: z.string(),
    name: z.string(),
    createdAt: instant,
    lastSeenAt: instant,
    idleEndsAt: instant,
    endsAt: instant,
    address: z.string(),
    browser: z.string().describe('What the client called itself; not to be trusted.'),
    isCurrent: z.boolean(),
  })
  .meta({ id: 'SessionEntry' });
export type SessionEntry = z.infer<typeof sessionEntrySchema>;

export const passwordChangeSchema = z
  .strictObject({ current: typedPassword, next: newPasswordSchema })
  .meta({ id: 'PasswordChange' });

/** For an authenticator; nothing is asked for at sign-in before it is confirmed. */
export const secondFactorSchema = z
  .object({ secret: z.string().describe('Base32.'), uri: z.string().describe('otpauth:// for a QR code.') })
  .meta({ id: 'SecondFactor' });
export type SecondFactor = z.infer<typeof secondFactorSchema>;
export const secondFactorStartSchema = z
  .strictObject({ password: typedPassword.describe('Once more, so that an open browser is not enough.') })
  .meta({ id: 'SecondFactorStart' });
export const secondFactorConfirmSchema = z
  .strictObject({ code: z.string().max(64) })
  .meta({ id: 'SecondFactorConfirm' });
export const secondFactorRemoveSchema = z
  .strictObject({ password: typedPassword })
  .meta({ id: 'SecondFactorRemove' });
export const recoveryCodesSchema = z
  .object({ recoveryCodes: z.array(z.string()).readonly().describe('Each works once; shown once.') })
  .meta({ id: 'RecoveryCodes' });
export type RecoveryCodes = z.infer<typeof recoveryCodesSchema>;

/** A new set-up code, shown once. */
export const setupCodeSchema = z.object({ code: z.string() }).meta({ id: 'SetupCode' });
