import type { ObservedCertificate } from '../contract/observed.ts';
import { type Duration, type Instant, minutes } from '../contract/time.ts';
import { keeperOf } from './kubeadm-certificates.ts';

/** What a renewal is to reach. */
export interface RenewalGoal {
  /** Every certificate that kubeadm renews ends later than this. */
  readonly endsAfter: Instant;
  /** So many masters' certificates have run out that the cluster cannot be well before they are renewed. */
  readonly isRescue: boolean;
}

/** The certificates without which a master takes no part: its peers and clients turn it away. */
const vital: ReadonlySet<string> = new Set([
  'etcd/server',
  'etcd/peer',
  'apiserver',
  'apiserver-etcd-client',
]);

const day: Duration = 24 * 3_600_000;

/** How long what kubeadm signs lasts (cmd/kubeadm/app/constants: CertificateValidity). */
export const certificateLife: Duration = 365 * day;

/** Ends are written in whole seconds, and clocks of machines differ by a little. */
const slack: Duration = minutes(1);

/**
 * Since when a certificate counts as new where nobody says so: the beginning of the day before (UTC). Who asks again
 * right after a renewal finds nothing to do, and two who look on the same day get the same plan.
 */
export const newEnoughSince = (now: Instant): Instant =>
  new Date(Math.floor((Date.parse(now) - day) / day) * day).toISOString();

/**
 * The goal of a renewal of everything that was made before `since`. How long it is ago that a certificate was made is
 * read from its end: kubeadm gives all the same life, and dates them back to their authority's beginning.
 */
export function renewalGoal(
  observed: readonly ObservedCertificate[],
  now: Instant,
  since: Instant,
): RenewalGoal {
  const renewable = observed.filter(({ name }) => keeperOf(name) === 'kubeadm');
  const masters = new Set(renewable.map(({ machine }) => machine));
  const expired = renewable.filter(
    ({ name, notAfter }) => vital.has(name) && Date.parse(notAfter) <= Date.parse(now),
  );
  const lost = new Set(expired.map(({ machine }) => machine));
  return {
    endsAfter: new Date(Date.parse(since) + certificateLife - slack).toISOString(),
    // Of the masters that are left, no majority (Raft, §5.1).
    isRescue: masters.size > 0 && (masters.size - lost.size) * 2 <= masters.size,
  };
}
