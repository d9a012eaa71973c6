import { dump } from 'js-yaml';
import { paths } from './cluster.ts';
import { controllersPod, signingFileOf, staticPod, upgradedComponents } from './in-place.ts';
import {
  configuredVersion,
  controlPlaneTimeout,
  documentOf,
  done,
  externalEtcd,
  version,
  versionOn,
  write,
  type Look,
  type Scene,
} from './kubeadm-phase.ts';
import { leafCertificates, leafText } from './certificates.ts';
import { authorityLine } from './trust.ts';
import { clusterInfo, kubeletConfigOf, kubeletKey, register } from './kubeadm-node.ts';

type Component = (typeof upgradedComponents)[number];

/** `/etc/kubernetes/manifests/kube-apiserver.yaml` → `kube-apiserver`. */
const componentAt = (path: string): Component =>
  upgradedComponents.find((name) => path.endsWith(`/${name}.yaml`)) ?? 'etcd';

const masterManifests = [paths.apiManifest, paths.controllerManifest, paths.schedulerManifest];

/** A master runs what the cluster's configuration says; its own payload must hold just those images. */
export function joinPrepare(scene: Scene): Look {
  const configured = configuredVersion(scene);
  if (configured === version(scene.machine)) return controlPlaneFiles(scene);
  return { fail: `[ERROR ImagePull]: failed to pull image k8s.gcr.io/kube-apiserver:${String(configured)}` };
}

/** Manifests and certificates of a master. */
export function controlPlaneFiles(scene: Scene): Look {
  const { cluster, machine, unit, now } = scene;
  const endpoints = externalEtcd(scene);
  for (const path of masterManifests) write(machine, path, staticPod(componentAt(path), versionOn(machine)));
  const given = unit.verb === 'init' ? documentOf(unit, 'ClusterConfiguration') : undefined;
  write(machine, paths.controllerManifest, controllersPod(cluster, versionOn(machine), given));
  if (endpoints !== undefined) {
    const content = `${staticPod('kube-apiserver', versionOn(machine))}\n# --etcd-servers=${endpoints.join(',')}\n`;
    write(machine, paths.apiManifest, content);
    if (!machine.files.has('/etc/kubernetes/pki/apiserver-etcd-client.crt'))
      return { fail: 'apiserver-etcd-client.crt: no such file or directory' };
  }
  // kubeadm goes on with certificates that it finds.
  for (const [path, name] of leafCertificates)
    if (!machine.files.has(path) && (endpoints === undefined || !name.startsWith('etcd/')))
      write(machine, path, leafText(name, machine, now), 0o644);
  return done;
}

/** Until the API server beside it is ready. */
export function waitControlPlane({ cluster, machine, unit, now }: Scene): Look {
  if (cluster.isApiReady(machine, now)) return done;
  if (now - unit.phaseSince > controlPlaneTimeout)
    return { fail: 'timed out waiting for the condition: the control plane did not start' };
  return { again: 1000 };
}

/** What the cluster keeps of kubeadm's configuration, for whoever joins. */
export function upload(scene: Scene): Look {
  const { cluster, machine, unit, now } = scene;
  const given = documentOf(unit, 'ClusterConfiguration');
  cluster.objects.apply(
    {
      apiVersion: clusterInfo.apiVersion,
      kind: clusterInfo.kind,
      metadata: { name: clusterInfo.name, namespace: clusterInfo.namespace },
      data: { kubeconfig: authorityLine(machine) },
    },
    now,
  );
  register(scene);
  const endpoints = externalEtcd(scene);
  const etcd = endpoints === undefined ? {} : { etcd: { external: { endpoints: [...endpoints] } } };
  const uploaded = {
    'kubeadm-config': {
      ClusterConfiguration: dump({
        kubernetesVersion: version(machine),
        controllerManager: { extraArgs: { 'cluster-signing-cert-file': signingFileOf(cluster, given) } },
        ...etcd,
      }),
    },
    'kubelet-config': { [kubeletKey]: kubeletConfigOf(scene) },
  };
  for (const [name, data] of Object.entries(uploaded))
    cluster.objects.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' }, data },
      now,
    );
  return done;
}

/** kube-proxy. */
export function addons({ cluster, machine, unit, now }: Scene): Look {
  if (unit.skipPhases.some((phase) => phase === 'addon' || phase === 'addon/kube-proxy')) return done;
  const labels = { 'k8s-app': 'kube-proxy' };
  cluster.objects.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'kube-proxy', namespace: 'kube-system', labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            tolerations: [{ operator: 'Exists' }],
            containers: [{ name: 'kube-proxy', image: `k8s.gcr.io/kube-proxy:${version(machine)}` }],
          },
        },
      },
    },
    now,
  );
  return done;
}
