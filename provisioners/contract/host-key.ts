import { createHash } from 'node:crypto';

/** Names of key types as `ssh-keygen -l` prints them behind a fingerprint. */
const typeNames: Readonly<Record<string, string>> = {
  'ssh-ed25519': 'ED25519',
  'ssh-rsa': 'RSA',
  'ecdsa-sha2-nistp256': 'ECDSA',
  'ecdsa-sha2-nistp384': 'ECDSA',
  'ecdsa-sha2-nistp521': 'ECDSA',
};

/** Fingerprint of a host key (`type base64`) as `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprintOf(hostKey: string): string {
  const key = Buffer.from(hostKey.trim().split(/\s+/)[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A host key (`type base64`) as a person compares it: `SHA256:… (ED25519)`. */
export function describeHostKey(hostKey: string): string {
  const [type = ''] = hostKey.trim().split(/\s+/);
  return `${fingerprintOf(hostKey)} (${typeNames[type] ?? type})`;
}
