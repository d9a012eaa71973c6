import type { Observed } from '../api/types.ts';
import { localDate, relativeTime } from './times.ts';

type Certificates = NonNullable<Observed['certificates']>;

/** kubeadm's three authorities: `ca`, `etcd/ca`, `front-proxy-ca`. */
const isAuthority = (name: string): boolean => /(^|[/-])ca$/.test(name);

/**
 * When the first certificate ends and when the first authority does, for people: `the first ends in 364 days
 * (21 Nov 2027): apiserver on cp-1; the authorities in 3650 days (19 Nov 2036)`. Empty when none were seen.
 */
export function certificatesText(certificates: Certificates, now: number = Date.now()): string {
  const authority = firstOf(certificates.filter(({ name }) => isAuthority(name)));
  const leaf = firstOf(certificates.filter(({ name }) => !isAuthority(name)));
  const end = (notAfter: string): string => `${relativeTime(notAfter, now)} (${localDate(notAfter)})`;
  const parts: string[] = [];
  if (leaf !== undefined) {
    const verb = Date.parse(leaf.notAfter) <= now ? 'ended' : 'ends';
    parts.push(`the first ${verb} ${end(leaf.notAfter)}: ${leaf.name} on ${leaf.machine}`);
  }
  if (authority !== undefined) parts.push(`the authorities ${end(authority.notAfter)}`);
  return parts.join('; ');
}

const firstOf = (certificates: Certificates): Certificates[number] | undefined =>
  [...certificates].sort((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter))[0];
