import type { HealthCondition, HealthLook } from '../contract/health.ts';

const type = 'DiskSpace';

/** etcd's own default of `--quota-backend-bytes`, which kubeadm leaves as it is (etcd docs, "System limits"). */
const defaultQuota = 2 * 1024 ** 3;

/** Shares of the quota from which on it is a warning, and critical: at the whole of it etcd takes no more writes. */
const warningShare = 0.8;
const criticalShare = 0.95;

/**
 * Free bytes below which a file system of a master, or of a machine of etcd, is a warning, and critical. The kubelet begins to evict at a tenth
 * of the whole, which is not seen here; with less than a gibibyte neither an image nor a log finds room.
 */
const warningFree = 4 * 1024 ** 3;
const criticalFree = 1024 ** 3;

/** Tens of percent, so that the text changes seldom. */
const tens = (share: number): string => `${Math.floor(share * 10) * 10} %`;
const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(bytes < 1024 ** 3 ? 1 : 0)} GiB`;

interface Fullness {
  readonly severity: 'warning' | 'critical';
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  readonly machine: string;
}

/** etcd's databases against their quota, and the file systems of masters and of machines of etcd; the worst is told. */
export function diskSpace({ members, disks, etcd: apart }: HealthLook): HealthCondition {
  const sizes = ('seen' in members ? members.seen : []).flatMap(({ name, dbSize, dbQuota }) =>
    dbSize === undefined ? [] : [{ name, dbSize, quota: dbQuota ?? defaultQuota }],
  );
  const free = 'seen' in disks ? disks.seen : {};
  if (sizes.length === 0 && Object.keys(free).length === 0)
    return {
      type,
      status: 'Unknown',
      reason: 'NotSeen',
      message: 'unseen' in disks ? disks.unseen : 'Neither etcd nor a master told its disk space.',
    };
  const found = [
    ...sizes.flatMap(databaseOf),
    ...Object.entries(free).flatMap(([machine, paths]) => fileSystemOf(machine, paths)),
  ];
  const worst = found.find(({ severity }) => severity === 'critical') ?? found[0];
  if (worst !== undefined) return { type, status: 'False', ...worst };
  const share = Math.max(0, ...sizes.map(({ dbSize, quota }) => dbSize / quota));
  const etcd = sizes.length === 0 ? '' : `etcd uses less than ${tens(share + 0.1)} of its quota`;
  const masters =
    Object.keys(free).length === 0
      ? ''
      : `each master${apart === undefined ? '' : ' and each machine of etcd'} has more than ${gib(warningFree)} free`;
  const message = [etcd, masters].filter((part) => part !== '').join('; ');
  return { type, status: 'True', reason: 'Enough', message: `${message}.` };
}

function databaseOf({ name, dbSize, quota }: { name: string; dbSize: number; quota: number }): Fullness[] {
  const share = dbSize / quota;
  if (share < warningShare) return [];
  return [
    {
      severity: share >= criticalShare ? 'critical' : 'warning',
      reason: 'EtcdNearQuota',
      message: `etcd on ${name} uses ${tens(share)} of its ${gib(quota)}; when they are full it takes no more writes.`,
      remedy: 'Find what writes so much, compact and defragment etcd, or raise --quota-backend-bytes.',
      machine: name,
    },
  ];
}

function fileSystemOf(machine: string, paths: Readonly<Record<string, number>>): Fullness[] {
  const [fullest] = Object.entries(paths).toSorted(([, one], [, other]) => one - other);
  if (fullest === undefined || fullest[1] >= warningFree) return [];
  const [path, free] = fullest;
  const isCritical = free < criticalFree;
  return [
    {
      severity: isCritical ? 'critical' : 'warning',
      reason: 'DiskNearlyFull',
      message: `${path} on ${machine} has less than ${gib(isCritical ? criticalFree : warningFree)} free.`,
      remedy: 'Remove what is not needed there, or replace the machine by one with a larger disk.',
      machine,
    },
  ];
}
