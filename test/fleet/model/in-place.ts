import { load } from 'js-yaml';
import { kubeadmImages } from '../../../provisioners/kubernetes/versions.ts';
import { versionNumbers } from '../../../provisioners/kubernetes/version-skew.ts';
import { type ModelCluster, paths } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { field, textMap } from './kubernetes.ts';
import { isServing, type ModelMachine } from './machine.ts';

/** Static pods in the order in which kubeadm exchanges them (phases/upgrade/staticpods.go). */
export const upgradedComponents = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;
type Component = (typeof upgradedComponents)[number];

const bare = (version: string): string => version.replace(/^v/, '');

/** A static pod's manifest as far as anybody reads it: its image. */
export function staticPod(component: Component, version: string): string {
  const image = kubeadmImages(bare(version)).find((one) => one.includes(`/${component}:`));
  return JSON.stringify({ spec: { containers: [{ name: component, image }] } });
}

/** What a controller-manager is told to sign with: kubeadm's own default where nobody says. */
export function signingFileOf(cluster: ModelCluster, given?: unknown): string {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const shared = textMap(cluster.objects.get(reference), 'data')['ClusterConfiguration'];
  const flags = field(given ?? load(shared ?? '{}'), 'controllerManager', 'extraArgs');
  const name = 'cluster-signing-cert-file';
  // A list from v1beta4 on.
  const listed: unknown = Array.isArray(flags) ? flags.find((one) => field(one, 'name') === name) : undefined;
  return String(field(flags, name) ?? field(listed, 'value') ?? '/etc/kubernetes/pki/ca.crt');
}

/** Manifest of the controller-manager: its image, and with what it signs. */
export const controllersPod = (cluster: ModelCluster, version: string, given?: unknown): string =>
  `${staticPod('kube-controller-manager', version)}\n# --cluster-signing-cert-file=${signingFileOf(cluster, given)}\n`;

/** Tag of the image in a static pod's manifest. */
export const tagOfPod = (content: string): string => /:([^":]+)"\}\]/.exec(content)?.[1] ?? '';

const minorOf = (version: string): number => versionNumbers(version)?.minor ?? 0;

/** Versions of the API servers that run, or would as soon as their machine does. */
const apiVersions = (cluster: ModelCluster): string[] =>
  [...cluster.machines.values()].flatMap(({ files, power }) => {
    const manifest = files.get(paths.apiManifest);
    return manifest === undefined || power === 'off' ? [] : [tagOfPod(manifest.content)];
  });

/** API servers are at most one minor apart (https://kubernetes.io/releases/version-skew-policy/#kube-apiserver). */
export function accuseOfApiSkew(
  cluster: ModelCluster,
  violate: (kind: string, detail: string) => void,
): void {
  const minors = apiVersions(cluster).map(minorOf);
  if (Math.max(...minors) - Math.min(...minors) > 1) violate('api-skew', apiVersions(cluster).join(', '));
}

/** A kubelet starts from the files that lie there now, and tells the cluster its version. */
export function kubeletStarted(fleet: Fleet, machine: ModelMachine): void {
  const version = [...machine.payloads.keys()].at(-1);
  const cluster = fleet.clusterOf(machine);
  const of = { apiVersion: 'v1', kind: 'Node', name: machine.name };
  if (version === undefined || !machine.files.has(paths.kubeletConf)) return;
  const older = apiVersions(cluster).find((api) => minorOf(api) < minorOf(version));
  const node = cluster.objects.get(of);
  const told = (node?.['remudaModel'] as { kubeletVersion?: string } | undefined)?.kubeletVersion;
  if (node === undefined || told === `v${bare(version)}`) return;
  if (older !== undefined)
    fleet.violate('kubelet-too-new', `${version} on ${machine.name}, and an API server is ${older}`);
  cluster.objects.patch(of, { remudaModel: { kubeletVersion: `v${bare(version)}` } }, { manager: 'kubelet' });
}

/** Whether what runs in containers outlives a restart of its kubelet or runtime: it does, unless it was never let in. */
export function outlivesRestart(cluster: ModelCluster, machine: ModelMachine, now: number): boolean {
  if (machine.isPodRejected || !isServing(machine, 'kubelet', now)) return false;
  return cluster.etcd.byMachine(machine.name)?.running !== false;
}
