import { load } from 'js-yaml';
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
