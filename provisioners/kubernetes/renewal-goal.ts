import type { ObservedCertificate } from '../contract/observed.ts';
import type { Instant } from '../contract/time.ts';
import { certificateThresholds } from './certificate-inventory.ts';
import { keeperOf } from './kubeadm-certificates.ts';

/**
 * What a renewal is to reach. It belongs into the operation's intent and is not worked out again when the operation is
 * resumed: then some masters have new certificates, and "later than all there are" would mean those.
 */
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

/**
 * The goal of renewing now: `all` certificates, however long they would last, or those that are `due`, which is those
 * within the outermost threshold of the inventory. Undefined when there is none that kubeadm renews.
 */
export function renewalGoal(
  observed: readonly ObservedCertificate[],
  now: Instant,
  which: 'all' | 'due',
): RenewalGoal | undefined {
  const renewable = observed.filter(({ name }) => keeperOf(name) === 'kubeadm');
  if (renewable.length === 0) return undefined;
  const ends = renewable.map(({ notAfter }) => Date.parse(notAfter));
  const soon = Date.parse(now) + Math.max(...certificateThresholds.map(({ atMost }) => atMost));
  const masters = new Set(renewable.map(({ machine }) => machine));
  const expired = renewable.filter(
    ({ name, notAfter }) => vital.has(name) && Date.parse(notAfter) <= Date.parse(now),
  );
  const lost = new Set(expired.map(({ machine }) => machine));
  return {
    endsAfter: new Date(which === 'due' ? soon : Math.max(...ends)).toISOString(),
    // Of the masters that are left, no majority (Raft, §5.1).
    isRescue: (masters.size - lost.size) * 2 <= masters.size,
  };
}
