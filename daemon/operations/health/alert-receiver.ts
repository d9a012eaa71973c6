import { z } from 'zod';

/** A receiver of alerts as an administrator writes it. */
export const alertReceiverSchema = z
  .strictObject({
    type: z.literal('webhook').default('webhook'),
    server: z
      .string()
      .max(2000)
      .regex(/^https:\/\/[^@\s]+$/i, 'write https://host/path, without user and password'),
    authority: z
      .string()
      .max(100_000)
      .regex(/-----BEGIN CERTIFICATE-----/, 'give the certificate of the authority, PEM')
      .exactOptional()
      .describe('PEM of the only authority that is believed; without it the public ones are.'),
    secretRef: z.string().min(1).max(253).describe('Secret whose key `hmac` signs what is sent.'),
    severity: z
      .enum(['warning', 'critical'])
      .default('warning')
      .describe('Least severity that is sent; `critical`: the cluster cannot do its work.'),
    clusters: z
      .array(z.string().min(1).max(63))
      .max(1000)
      .exactOptional()
      .describe('Only alerts of these clusters; absent: of all.'),
  })
  .meta({ id: 'AlertReceiverSettings' });
export type AlertReceiverSettings = z.infer<typeof alertReceiverSchema>;

/** Where the secret goes: another place demands it anew (DESIGN §3). */
export const placeOfAlerts = ({ server }: AlertReceiverSettings): string => new URL(server).origin;
