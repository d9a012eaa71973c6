import { z } from 'zod';
import type { AuditReceiver } from '../../appliance/agent/protocol/outgoing.ts';

const authority = z
  .string()
  .max(100_000)
  .regex(/-----BEGIN CERTIFICATE-----/, 'give the certificate of the authority, PEM')
  .exactOptional()
  .describe('PEM of the only authority that is believed; without it the public ones are.');
const from = z
  .enum(['beginning', 'now'])
  .default('beginning')
  .describe('Which rows a new receiver gets; a change of a known one goes on where it was.');

/** A receiver of the audit trail as an administrator writes it. */
export const auditReceiverSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('syslog'),
      server: z
        .string()
        .max(300)
        .regex(/^(tls|tcp):\/\/[^/?#@\s]+\/?$/i, 'write tls://host:6514 or tcp://host:514'),
      authority,
      from,
    }),
    z.strictObject({
      type: z.literal('webhook'),
      server: z
        .string()
        .max(2000)
        .regex(/^https:\/\/[^@\s]+$/i, 'write https://host/path, without user and password'),
      authority,
      secretRef: z.string().min(1).max(253).describe('Secret whose key `hmac` signs what is sent.'),
      from,
    }),
  ])
  .meta({ id: 'AuditReceiverSettings' });
export type AuditReceiverSettings = z.infer<typeof auditReceiverSchema>;

/** What the agent is told of a receiver. */
export const receiverOf = ({ type, server, authority: pem }: AuditReceiverSettings): AuditReceiver => ({
  type,
  server,
  ...(pem === undefined ? {} : { authority: pem }),
});

/** Where the secret of a webhook goes: another place demands it anew (DESIGN §3). */
export const placeOfReceiver = ({ server }: AuditReceiverSettings): string => new URL(server).origin;
