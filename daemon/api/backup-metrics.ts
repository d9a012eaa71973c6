import { Gauge, type Registry } from 'prom-client';
import type { Engine } from '../operations/engine.ts';

/** What these numbers are read from. */
export type BackupMetricsSource = Pick<Engine, 'backups'>;

/** Clusters that get labels of their own, as for their health: the scraper's memory is not ours to fill. */
const mostClusters = 500;

/** When each cluster was backed up last: an alert on its age finds every backup that fails, waits or was forgotten. */
export function registerBackupMetrics(registry: Registry, { backups }: BackupMetricsSource): void {
  const gauge = new Gauge({
    name: 'remuda_backup_last_success_timestamp_seconds',
    help: 'When the newest backup of etcd was finished, by cluster',
    labelNames: ['cluster'],
    registers: [],
    collect() {
      this.reset();
      const newest = backups
        .lastSuccesses()
        .toSorted((one, other) => one.cluster.localeCompare(other.cluster));
      for (const { cluster, at } of newest.slice(0, mostClusters))
        this.set({ cluster }, Date.parse(at) / 1000);
    },
  });
  registry.registerMetric(gauge);
}
