import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import {
  type ClusterMetricsSource,
  registerClusterMetrics,
  registerOperationMetrics,
} from '../../../daemon/api/cluster-metrics.ts';

type Doors = ClusterMetricsSource['clusterHealth'];

const now = Date.parse('2026-11-21T00:00:00.000Z');
const condition = {
  type: 'NodesReady',
  status: 'False',
  reason: 'NodesNotReady',
  message: '',
  lastTransitionTime: '',
} as const;

/** Metrics of so many clusters, all of which say the same. */
async function metricsOf(count: number, changes: Partial<Doors> = {}): Promise<string> {
  const registry = new Registry();
  const clusters = Array.from({ length: count }, (_, index) => ({
    uid: `u${index}`,
    name: `c${index}`,
    site: 's',
  }));
  const doors: Pick<Doors, 'watched' | 'conditions' | 'numbers' | 'firing'> = {
    watched: () => clusters,
    conditions: () => [condition],
    numbers: () => ({
      nodesReady: 4,
      nodesTotal: 5,
      etcdMembers: 3,
      etcdHealthy: 2,
      nearestCertificateEnd: '2026-11-22T00:00:00.000Z',
    }),
    firing: () => 2,
    ...changes,
  };
  // Only what metrics ask is there.
  registerClusterMetrics(registry, { clusterHealth: doors as Doors }, () => now);
  registerOperationMetrics(registry, () => ({ succeeded: 7 }));
  return registry.metrics();
}

describe('metrics of clusters (K6)', () => {
  test('numbers by cluster; what is not known is absent, not zero', async () => {
    const text = await metricsOf(1);
    expect(text).toContain('remuda_cluster_condition{cluster="c0",condition="NodesReady"} 0');
    expect(text).toContain('remuda_cluster_nodes{cluster="c0"} 5');
    expect(text).toContain('remuda_cluster_etcd_members_healthy{cluster="c0"} 2');
    expect(text).toContain('remuda_cluster_certificate_end_seconds{cluster="c0"} 86400');
    expect(text).toContain('remuda_operations{state="succeeded"} 7');
    expect(text).toContain('remuda_alerts_firing 2');
    const unknown = await metricsOf(1, {
      numbers: () => ({}),
      conditions: () => [{ ...condition, status: 'Unknown' }],
    });
    expect(unknown).toContain('condition="NodesReady"} -1');
    expect(unknown).not.toContain('remuda_cluster_nodes{');
  });

  test('the number of labels is bounded, and says how many it leaves out', async () => {
    const text = await metricsOf(620);
    expect(text.match(/^remuda_cluster_nodes\{/gm)).toHaveLength(500);
    expect(text).toContain('remuda_clusters_without_metrics 120');
  });

  test('the manual lists every one', async () => {
    const page = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'ui/docs/health.md'), 'utf8');
    const names = [...(await metricsOf(1)).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(7);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
