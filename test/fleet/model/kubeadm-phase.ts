import { load, loadAll } from 'js-yaml';
import type { ModelCluster } from './cluster.ts';
import type { FaultSchedule } from './faults.ts';
import { field, textMap } from './kubernetes.ts';
import type { ModelMachine, ModelUnit } from './machine.ts';

/** What one look at a phase says. `again`: look again after so many ms; the machine's slowness stretches both. */
export type Look = { readonly done: true } | { readonly again: number } | { readonly fail: string };

/** One phase of a kubeadm command: how long it takes, ms, and what it then does. */
export interface Phase {
  readonly name: string;
  readonly takes: number;
  act(at: Scene): Look;
}

/** Everything a phase may look at and change. */
export interface Scene {
  readonly cluster: ModelCluster;
  readonly machine: ModelMachine;
  readonly unit: ModelUnit;
  readonly faults: FaultSchedule;
  readonly now: number;
  /** Records something that must never happen. */
  violate(kind: string, detail: string): void;
}

/** Version that kubeadm's configuration in the cluster gives to whoever joins. */
export function configuredVersion({ cluster }: Scene): unknown {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const text = textMap(cluster.objects.get(reference), 'data')['ClusterConfiguration'] ?? '{}';
  return field(load(text), 'kubernetesVersion');
}

/** Until an API server answers; kubeadm gives up after a minute. */
export function awaitApi({ cluster, unit, now }: Scene): Look {
  if (cluster.readyMasters(now).length > 0) return { done: true };
  if (now - unit.phaseSince > 60_000)
    return { fail: "couldn't validate the identity of the API Server: context deadline exceeded" };
  return { again: 2000 };
}

/** A phase that is through. */
export const done: Look = { done: true };

/** How long kubeadm waits for the control plane (its TimeoutForControlPlane: 4 minutes). */
export const controlPlaneTimeout = 240_000;

/** What the config file holds; nothing where it cannot be read. */
export function documents(unit: ModelUnit): readonly unknown[] {
  try {
    return loadAll(unit.config) as readonly unknown[];
  } catch {
    return [];
  }
}

/** One of its documents. */
export const documentOf = (unit: ModelUnit, kind: string): unknown =>
  documents(unit).find((document) => field(document, 'kind') === kind);

/** The name under which the machine becomes a Node. */
export const nodeName = ({ unit, machine }: Scene): string => {
  const kind = unit.verb === 'init' ? 'InitConfiguration' : 'JoinConfiguration';
  return String(field(documentOf(unit, kind), 'nodeRegistration', 'name') ?? machine.hostname);
};

/** Whether it makes the machine a master. */
export const isMaster = (unit: ModelUnit): boolean =>
  unit.verb === 'init' || field(documentOf(unit, 'JoinConfiguration'), 'controlPlane') !== undefined;

/** Kubernetes version on a machine: that of its payload. */
export const versionOn = (machine: ModelMachine): string => [...machine.payloads.keys()].at(-1) ?? 'none';

/** The same as Kubernetes writes it. */
export const version = (machine: ModelMachine): string => `v${versionOn(machine).replace(/^v/, '')}`;

/** Lays down a file as kubeadm does. */
export function write(machine: ModelMachine, path: string, content: string, mode = 0o600): void {
  machine.files.set(path, { content, mode });
}

/** Members of etcd that stand apart, as the configuration of this command or of the cluster names them. */
export function externalEtcd({ cluster, unit }: Scene): readonly string[] | undefined {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const shared = load(textMap(cluster.objects.get(reference), 'data')['ClusterConfiguration'] ?? '{}');
  const configuration = unit.verb === 'init' ? documentOf(unit, 'ClusterConfiguration') : shared;
  const endpoints = field(configuration, 'etcd', 'external', 'endpoints');
  return Array.isArray(endpoints) ? endpoints.map(String) : undefined;
}

/** The kubelet begins with the static pods that lie there now. */
export function startPods({ machine, now }: Scene): Look {
  machine.staticPodsSince = now;
  return done;
}
