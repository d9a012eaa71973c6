import type { ObservedCertificate } from '../contract/observed.ts';
import type { Duration, Instant } from '../contract/time.ts';
import { authorityOf, type CertificateKeeper, keeperOf } from './kubeadm-certificates.ts';

/** How near a certificate's end is. */
export type CertificateLevel = 'ok' | 'notice' | 'warning' | 'critical' | 'expired';

const day: Duration = 24 * 3_600_000;

/** From how much time left on a certificate is spoken of, the nearest first (complaint 13: 90, 30 and 7 days). */
export const certificateThresholds: readonly {
  readonly level: CertificateLevel;
  readonly atMost: Duration;
}[] = [
  { level: 'expired', atMost: 0 },
  { level: 'critical', atMost: 7 * day },
  { level: 'warning', atMost: 30 * day },
  { level: 'notice', atMost: 90 * day },
];

/**
 * What renews itself is spoken of only when it did not: the kubelet asks for a new certificate when 70 to 90 % of the
 * old one's time is over (client-go, util/certificate: nextRotationDeadline), of a year with a month left.
 */
const selfRenewing: ReadonlySet<CertificateKeeper> = new Set(['kubelet']);

/** One certificate of a cluster as people see it. */
export interface InventoriedCertificate extends ObservedCertificate {
  readonly level: CertificateLevel;
  /** Negative when it is over. */
  readonly remaining: Duration;
  readonly keeper: CertificateKeeper;
  /** When the authority that signed it ends, if that is sooner: nobody believes in it from then on. */
  readonly authorityEnds?: Instant;
}

/** All certificates of a cluster. */
export interface CertificateInventory {
  /** The first to end first; of those that end together, by machine and name. */
  readonly certificates: readonly InventoriedCertificate[];
  /** The worst of all; `ok` when there are none. */
  readonly level: CertificateLevel;
  /**
   * When the next renewal by certificates.renew is due: when the first that kubeadm renews comes into the outermost
   * threshold. In the past: it is overdue. Absent when there is none to renew.
   */
  readonly renewalDue?: Instant;
}

function levelOf(remaining: Duration, keeper: CertificateKeeper): CertificateLevel {
  // Nothing happens when it ends, and nothing can be done about it.
  if (keeper === 'nobody') return 'ok';
  const level = certificateThresholds.find(({ atMost }) => remaining <= atMost)?.level ?? 'ok';
  return level === 'notice' && selfRenewing.has(keeper) ? 'ok' : level;
}

/** Levels, the worst first. */
export const certificateLevels = [
  'expired',
  'critical',
  'warning',
  'notice',
  'ok',
] as const satisfies readonly CertificateLevel[];

/** When the authority of a certificate ends, if that is before the certificate does. */
function sooner(
  { machine, name, notAfter }: ObservedCertificate,
  keeper: CertificateKeeper,
  observed: readonly ObservedCertificate[],
): Instant | undefined {
  if (keeper !== 'kubeadm' && keeper !== 'kubelet') return undefined;
  const authority = authorityOf(name);
  const end = observed.find((one) => one.machine === machine && one.name === authority)?.notAfter;
  return end !== undefined && Date.parse(end) < Date.parse(notAfter) ? end : undefined;
}

const outermost = Math.max(...certificateThresholds.map(({ atMost }) => atMost));

/** What there is to say of a cluster's certificates at an instant. */
export function certificateInventory(
  observed: readonly ObservedCertificate[],
  now: Instant,
): CertificateInventory {
  const certificates = observed
    .map((certificate): InventoriedCertificate => {
      const remaining = Date.parse(certificate.notAfter) - Date.parse(now);
      const keeper = keeperOf(certificate.name);
      const authorityEnds = sooner(certificate, keeper, observed);
      return {
        ...certificate,
        remaining,
        keeper,
        level: levelOf(remaining, keeper),
        ...(authorityEnds === undefined ? {} : { authorityEnds }),
      };
    })
    .sort((a, b) => a.remaining - b.remaining || compare(a.machine, b.machine) || compare(a.name, b.name));
  const first = certificates.find(({ keeper }) => keeper === 'kubeadm');
  return {
    certificates,
    level: certificateLevels.find((level) => certificates.some((each) => each.level === level)) ?? 'ok',
    ...(first === undefined
      ? {}
      : { renewalDue: new Date(Date.parse(first.notAfter) - outermost).toISOString() }),
  };
}

const compare = (one: string, other: string): number => Number(one > other) - Number(one < other);
