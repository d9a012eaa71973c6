import { type ModelCluster, paths } from './cluster.ts';
import type { ModelMachine } from './machine.ts';

/**
 * A kubelet that was started and finds no Node of its name makes one, as soon as an API server answers it; afterwards
 * never again, until its next start (pkg/kubelet/kubelet_node_status.go: registrationCompleted).
 */
export function registerAgain(cluster: ModelCluster, machine: ModelMachine, now: number): void {
  if (!machine.isRegistering || machine.power === 'off') return;
  const isMember = machine.files.has(paths.kubeletConf) && machine.files.has(paths.kubeletConfig);
  if (!isMember || cluster.readyMasters(now).length === 0) return;
  const of = { apiVersion: 'v1', kind: 'Node', name: machine.name };
  machine.isRegistering = false;
  if (cluster.objects.get(of) !== undefined) return;
  const labels = { 'kubernetes.io/hostname': machine.name, 'kubernetes.io/os': 'linux' };
  const { apiVersion, kind, name } = of;
  const kubeletVersion = `v${[...machine.payloads.keys()].at(-1) ?? ''}`;
  const node = { apiVersion, kind, metadata: { name, labels }, remudaModel: { kubeletVersion } };
  cluster.objects.apply(node, now, 'kubelet');
}
