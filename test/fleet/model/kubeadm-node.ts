import { dump } from 'js-yaml';
import { paths } from './cluster.ts';
import {
  awaitApi,
  documentOf,
  done,
  nodeName,
  version,
  write,
  type Look,
  type Scene,
} from './kubeadm-phase.ts';
import { field, textMap } from './kubernetes.ts';

/** kubeadm keeps the kubelets' configuration in the cluster under this key. */
export const kubeletKey = 'kubelet';

/** init is given it, whoever joins takes the cluster's. */
export function kubeletConfigOf({ cluster, unit }: Scene): string {
  const given = documentOf(unit, 'KubeletConfiguration');
  if (unit.verb === 'init') return dump(given ?? {});
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubelet-config' };
  return textMap(cluster.objects.get(reference), 'data')[kubeletKey] ?? '';
}

/** The kubelet's configuration, and its start. */
export function kubeletStart(scene: Scene): Look {
  const { machine, now } = scene;
  write(machine, paths.kubeletConfig, kubeletConfigOf(scene), 0o644);
  const kubelet = machine.services.get('kubelet');
  machine.services.set('kubelet', { active: true, enabled: kubelet?.enabled ?? false, since: now });
  machine.staticPodsSince = now;
  machine.downSince = undefined;
  return done;
}

/** What whoever joins is told. */
export const clusterInfo = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-public',
  name: 'cluster-info',
};

/** The line of cluster-info that says whom whoever joins believes. */
const kubeletAuthority = ({ cluster }: Scene): string =>
  /certificate-authority-data: \S+\n/.exec(
    textMap(cluster.objects.get(clusterInfo), 'data')['kubeconfig'] ?? '',
  )?.[0] ?? '';

/** kubeadm join lays down what cluster-info says where no authority lies yet: on workers. */
function joinTrust(scene: Scene): void {
  const { machine, unit } = scene;
  const path = '/etc/kubernetes/pki/ca.crt';
  const data = /certificate-authority-data: (\S+)/.exec(kubeletAuthority(scene))?.[1];
  if (unit.verb !== 'join' || machine.files.has(path) || data === undefined) return;
  write(machine, path, Buffer.from(data, 'base64').toString(), 0o644);
}

/** The machine becomes a Node, and its kubelet believes whom it was told of. */
export function register(scene: Scene): void {
  const { cluster, machine, unit, now } = scene;
  const name = nodeName(scene);
  const kind = unit.verb === 'init' ? 'InitConfiguration' : 'JoinConfiguration';
  const registration = field(documentOf(unit, kind), 'nodeRegistration');
  joinTrust(scene);
  write(machine, paths.kubeletConf, `${kubeletAuthority(scene)}kubeconfig kubelet ${name}`);
  const taints = field(registration, 'taints');
  cluster.objects.apply(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...extraLabels(registration) },
      },
      spec: { taints: Array.isArray(taints) ? taints : [] },
      remudaModel: { kubeletVersion: version(machine) },
    },
    now,
    'kubelet',
  );
}

function extraLabels(registration: unknown): Record<string, string> {
  const text = field(registration, 'kubeletExtraArgs', 'node-labels');
  if (typeof text !== 'string') return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key = '', value = ''] = pair.split('=');
      return [key, value];
    }),
  );
}

/** As {@link register}, as soon as an API server answers. */
export function registerWhenUp(scene: Scene): Look {
  if (scene.cluster.readyMasters(scene.now).length === 0) return awaitApi(scene);
  register(scene);
  return done;
}

/** Labels and taints of a master. */
export function markControlPlane(scene: Scene): Look {
  const { cluster, now } = scene;
  const kind = scene.unit.verb === 'init' ? 'InitConfiguration' : 'JoinConfiguration';
  const given = field(documentOf(scene.unit, kind), 'nodeRegistration', 'taints');
  const taints = Array.isArray(given)
    ? given
    : [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }];
  cluster.objects.apply(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: nodeName(scene),
        labels: { 'node-role.kubernetes.io/master': '', 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { taints },
    },
    now,
  );
  return done;
}
