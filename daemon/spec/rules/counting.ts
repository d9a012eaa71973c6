import type { ClusterDocument } from '../documents.ts';
import { etcdReplicas } from './etcd.ts';

/** Machines a cluster has, and the most it has at once while they are replaced. */
export interface MachineCount {
  readonly desired: number;
  /** One master beyond the desired, and `maxSurge` workers of one group at a time (DESIGN §6); none in place. */
  readonly surge: number;
}

/** Counts the machines of a cluster. */
export function countMachines(cluster: ClusterDocument): MachineCount {
  const { controlPlane, workers, upgrade } = cluster.spec;
  const others = controlPlane.replicas + etcdReplicas(cluster);
  const desired = workers.reduce((sum, group) => sum + group.replicas, others);
  const hasWorkers = workers.some((group) => group.replicas > 0);
  if (upgrade.strategy === 'InPlace') return { desired, surge: 0 };
  return { desired, surge: Math.max(1, hasWorkers ? upgrade.maxSurge : 0) };
}
