import { createHash, X509Certificate } from 'node:crypto';

const hashOf = (text: string): string => createHash('sha256').update(text.trim()).digest('hex').slice(0, 16);

/** Single certificates of a bundle; a text that is none stands for itself. */
const certificatesIn = (caCertificate: string): readonly string[] =>
  caCertificate.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu) ?? [caCertificate];

function beganAt(pem: string): number {
  try {
    return new X509Certificate(pem).validFromDate.getTime();
  } catch {
    return 0;
  }
}

/**
 * Says which cluster of a name is meant: one that is deleted and made again under its name has another authority. A
 * digest of the CA certificate's text (PEM), shortened; it guards against a mix-up, not against an attack. Of several that
 * are believed while they are rotated it is the newest: the one that stays.
 */
export function authorityHash(caCertificate: string): string {
  const [newest = ''] = certificatesIn(caCertificate).toSorted((one, other) => beganAt(other) - beganAt(one));
  return hashOf(newest);
}

/** Whether a hash is of one of the authorities that are believed. */
export const isAuthorityOf = (caCertificate: string, hash: string): boolean =>
  certificatesIn(caCertificate).some((one) => hashOf(one) === hash);
