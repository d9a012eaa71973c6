import { Gauge, type Registry } from 'prom-client';
import type { Engine } from '../operations/engine.ts';

/** What these numbers are read from. */
export type CertificateMetricsSource = Pick<Engine, 'certificates'>;

/** Clusters that get labels of their own, as for their health: the scraper's memory is not ours to fill. */
const mostClusters = 500;

/** When certificates end: for each cluster and whoever renews them the first one, and no more. */
export function registerCertificateMetrics(
  registry: Registry,
  { certificates }: CertificateMetricsSource,
): void {
  const gauge = new Gauge({
    name: 'remuda_certificate_not_after_timestamp_seconds',
    help: 'End of the first certificate to end, by cluster and by who renews it',
    labelNames: ['cluster', 'renewed_by'],
    registers: [],
    collect() {
      this.reset();
      const ends = certificates.ends();
      const shown = new Set([...new Set(ends.map(({ cluster }) => cluster))].sort().slice(0, mostClusters));
      for (const { cluster, keeper, notAfter } of ends)
        if (shown.has(cluster))
          this.set({ cluster, renewed_by: keeper.replaceAll(' ', '-') }, Date.parse(notAfter) / 1000);
    },
  });
  registry.registerMetric(gauge);
}
