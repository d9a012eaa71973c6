import type { ClusterView, Observed } from '../api/types.ts';
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

/** What there is to do about a cluster's certificates, in one sentence; nothing while none is near its end. */
export function certificateWarning(
  { name, certificates }: Pick<ClusterView, 'name' | 'certificates'>,
  now: number = Date.now(),
): string | undefined {
  if (certificates?.first === undefined || certificates.level === 'ok') return undefined;
  const { level, count, first } = certificates;
  const what = count === 1 ? 'A certificate' : `${count} certificates`;
  const when = {
    notice: 'within 90 days',
    warning: 'within 30 days',
    critical: 'within 7 days',
    expired: '',
  }[level];
  const verb =
    level === 'expired'
      ? `of ${name} ${count === 1 ? 'has' : 'have'} ended`
      : `of ${name} ${count === 1 ? 'ends' : 'end'} ${when}`;
  return `${what} ${verb}, the first ${relativeTime(first.notAfter, now)} (${first.name} on ${first.machine}): remuda certificates renew ${name}`;
}
