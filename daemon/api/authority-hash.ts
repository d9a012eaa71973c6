import { createHash } from 'node:crypto';

/**
 * Says which cluster of a name is meant: one that is deleted and made again under its name has another authority. A
 * digest of the CA certificate's text (PEM), shortened; it guards against a mix-up, not against an attack.
 */
export const authorityHash = (caCertificate: string): string =>
  createHash('sha256').update(caCertificate.trim()).digest('hex').slice(0, 16);
