import { Gauge, type Registry } from 'prom-client';
import type { Engine } from '../operations/engine.ts';

/** What these numbers are read from. */
export type ClusterMetricsSource = Pick<Engine, 'clusterHealth'>;

/** Clusters that get labels of their own. More are counted as left out: the scraper's memory is not ours to fill. */
const mostClusters = 500;

/** Names and meanings, as the manual lists them (ui/docs/health.md). */
const gauges = {
  remuda_cluster_condition: '1 True, 0 False, -1 Unknown, by cluster and condition',
  remuda_cluster_nodes: 'Nodes of a cluster; absent while nobody looks',
  remuda_cluster_nodes_ready: 'Nodes that are Ready',
  remuda_cluster_etcd_members: 'etcd members of a cluster; absent while nobody looks',
  remuda_cluster_etcd_members_healthy: 'etcd members that are healthy',
  remuda_cluster_certificate_end_seconds: 'Seconds until the first certificate of a cluster ends',
} as const;
type GaugeName = keyof typeof gauges;

const values = { True: 1, False: 0, Unknown: -1 } as const;

/** Gauges by cluster, read anew at each scrape. `now`: milliseconds since the epoch. */
export function registerClusterMetrics(
  registry: Registry,
  { clusterHealth }: ClusterMetricsSource,
  now: () => number = Date.now,
): void {
  const shown = (): ReturnType<typeof clusterHealth.watched> =>
    clusterHealth
      .watched()
      .toSorted((one, other) => one.name.localeCompare(other.name))
      .slice(0, mostClusters);
  const add = (name: GaugeName, labelNames: string[], read: (gauge: Gauge) => void): void => {
    const gauge = new Gauge({
      name,
      help: gauges[name],
      labelNames,
      registers: [],
      collect() {
        this.reset();
        read(this);
      },
    });
    registry.registerMetric(gauge);
  };
  add('remuda_cluster_condition', ['cluster', 'condition'], (gauge) => {
    for (const { uid, name } of shown())
      for (const { type, status } of clusterHealth.conditions(uid))
        gauge.set({ cluster: name, condition: type }, values[status]);
  });
  const addNumber = (name: GaugeName, read: (uid: string) => number | undefined): void =>
    add(name, ['cluster'], (gauge) => {
      for (const { uid, name: cluster } of shown()) {
        const value = read(uid);
        if (value !== undefined) gauge.set({ cluster }, value);
      }
    });
  addNumber('remuda_cluster_nodes', (uid) => clusterHealth.numbers(uid).nodesTotal);
  addNumber('remuda_cluster_nodes_ready', (uid) => clusterHealth.numbers(uid).nodesReady);
  addNumber('remuda_cluster_etcd_members', (uid) => clusterHealth.numbers(uid).etcdMembers);
  addNumber('remuda_cluster_etcd_members_healthy', (uid) => clusterHealth.numbers(uid).etcdHealthy);
  addNumber('remuda_cluster_certificate_end_seconds', (uid) => {
    const { nearestCertificateEnd: end } = clusterHealth.numbers(uid);
    return end === undefined ? undefined : Math.round((Date.parse(end) - now()) / 1000);
  });
  addPlain(registry, 'remuda_clusters_without_metrics', 'Clusters beyond the 500 that get labels', () =>
    Math.max(0, clusterHealth.watched().length - mostClusters),
  );
  addPlain(registry, 'remuda_alerts_firing', 'Alerts that are not over', () => clusterHealth.firing());
}

function addPlain(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
  registry.registerMetric(gauge);
}

/** Operations by state, of all time. */
export function registerOperationMetrics(
  registry: Registry,
  count: () => Readonly<Record<string, number>>,
): void {
  const gauge = new Gauge({
    name: 'remuda_operations',
    help: 'Operations by state',
    labelNames: ['state'],
    registers: [],
    collect() {
      this.reset();
      for (const [state, number] of Object.entries(count())) this.set({ state }, number);
    },
  });
  registry.registerMetric(gauge);
}
