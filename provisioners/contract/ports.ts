import type { Duration, Instant } from './time.ts';
import type { EtcdDataPort } from './etcd-data.ts';
import type { HookPort } from './hooks.ts';
import type { ClusterKeys } from './secrets.ts';
import type { Provider } from './provider.ts';
import type { HostPort } from './ports/host.ts';
import type { FilePort } from './ports/file.ts';
import type { ServicePort } from './ports/service.ts';
import type { PayloadPort } from './ports/payload.ts';
import type { KubeadmPort } from './ports/kubeadm.ts';
import type { EtcdPort } from './ports/etcd.ts';
import type { BackupPort } from './ports/backup.ts';
import type { KubernetesPort } from './ports/kubernetes.ts';

/**
 * The narrow ports through which a step does all its I/O. The agent implements them over SSH, TLS and systemd; the
 * simulated fleet implements them over a model. One contract suite per port runs on both. Every call may throw
 * `Transient` (the line is down: nothing is known) and never leaves half an effect that a repeat would not mend.
 */
export interface Ports {
  readonly host: HostPort;
  readonly file: FilePort;
  readonly service: ServicePort;
  readonly payload: PayloadPort;
  readonly kubeadm: KubeadmPort;
  readonly etcd: EtcdPort;
  readonly etcdData: EtcdDataPort;
  readonly kubernetes: KubernetesPort;
  readonly provider: Provider;
  readonly secrets: SecretsPort;
  readonly backup: BackupPort;
  readonly hooks: HookPort;
}

/** Secrets that came sealed with this dispatch, opened only here. */
export interface SecretsPort {
  clusterKeys(): Promise<ClusterKeys>;
  /** A secret the user gave, by its secretRef name and key; throws Blocked when it is not there. */
  value(secretRef: string, key: string): Promise<string>;
}

/** How a wait introduces itself: what, what was last seen, since when, how long it usually takes, what one could do. */
export interface Waiting {
  readonly what: string;
  readonly lastSeen: string;
  readonly since: Instant;
  readonly usually: Duration;
  readonly youCould?: string;
}
