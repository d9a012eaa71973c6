import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine } from '../operations/engine.ts';
import { type CertificateMetricsSource, registerCertificateMetrics } from './certificate-metrics.ts';
import type { EngineCounters } from '../operations/counters.ts';
import { type BackupMetricsSource, registerBackupMetrics } from './backup-metrics.ts';
import {
  type ClusterMetricsSource,
  registerClusterMetrics,
  registerOperationMetrics,
} from './cluster-metrics.ts';

/** Names and meanings of the engine's counters, as Prometheus sees them. */
const counterHelp: Readonly<Record<keyof EngineCounters, string>> = {
  dispatches: 'Attempts sent to agents',
  redispatches: 'Attempts sent again because nothing was heard of them',
  reports: 'Reports taken from agents',
  duplicateReports: 'Reports that were held already',
  stepsSucceeded: 'Steps that ended well',
  stepsFailed: 'Attempts that failed',
  stepsUnchanged: 'Steps whose first look said done',
  plansMade: 'Plans made',
  operationsStarted: 'Operations started',
  operationsSucceeded: 'Operations that ended well',
  operationsFailed: 'Operations that stopped',
  logLines: 'Log lines taken from agents',
};

/** What Prometheus may read: the process, the requests, the engine. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram;
  readonly #clients: Gauge;

  /** `operations`: how many there are by state. */
  constructor(
    engine: Pick<Engine, 'counters' | 'health' | 'listClusters'> &
      BackupMetricsSource &
      ClusterMetricsSource &
      CertificateMetricsSource,
    operations: () => Readonly<Record<string, number>> = () => ({}),
  ) {
    collectDefaultMetrics({ register: this.#registry, prefix: 'remuda_' });
    this.#requests = new Histogram({
      name: 'remuda_http_request_duration_seconds',
      help: 'Requests by route and status',
      labelNames: ['route', 'status'],
      buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
      registers: [this.#registry],
    });
    this.#clients = new Gauge({
      name: 'remuda_live_clients',
      help: 'Clients that follow events now',
      registers: [this.#registry],
    });
    for (const [name, help] of Object.entries(counterHelp)) {
      this.#gauge(
        `remuda_engine_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
        help,
        () => {
          return engine.counters[name as keyof EngineCounters];
        },
      );
    }
    this.#gauge('remuda_ready', '1 when the engine takes on work', () => (engine.health().isReady ? 1 : 0));
    this.#gauge('remuda_clusters', 'Clusters in state', () => engine.listClusters().length);
    registerClusterMetrics(this.#registry, engine);
    registerBackupMetrics(this.#registry, engine);
    registerCertificateMetrics(this.#registry, engine);
    registerOperationMetrics(this.#registry, operations);
  }

  /** Text exposition format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  countRequest(route: string, status: number, seconds: number): void {
    this.#requests.observe({ route, status: String(status) }, seconds);
  }

  setClients(count: number): void {
    this.#clients.set(count);
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    this.#registry.registerMetric(gauge);
  }
}
