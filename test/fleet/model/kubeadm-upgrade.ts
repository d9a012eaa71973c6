import { load } from 'js-yaml';
import { renewCertificates } from './certificates.ts';
import { paths } from './cluster.ts';
import { accuseOfApiSkew, controllersPod, staticPod, upgradedComponents } from './in-place.ts';
import { field, textMap } from './kubernetes.ts';
import { awaitApi, configuredVersion, type Look, type Phase, type Scene } from './kubeadm-phase.ts';

type Component = (typeof upgradedComponents)[number];

const done: Look = { done: true };

const manifestOf = (component: Component): string => `/etc/kubernetes/manifests/${component}.yaml`;

/** kubeadm waits so long for one static pod (UpgradeManifestTimeout: 5 minutes). */
const upgradeTimeout = 300_000;

/** kubeadm takes for a master who has the manifest of an API server; the model, who was made one. */
const isMaster = ({ machine }: Scene): boolean =>
  machine.role === 'control-plane' && machine.files.has(paths.kubeletConf);

/** etcd that stands apart is none of kubeadm's business on a master (phases/upgrade/staticpods.go: isExternalEtcd). */
const isElsewhere = ({ cluster }: Scene, component: Component): boolean =>
  component === 'etcd' && cluster.isEtcdApart;

/** Without the cluster's API kubeadm knows nothing; and every image of the version must be on board. */
function preflight(scene: Scene): Look {
  const { machine, unit, cluster, now } = scene;
  if (cluster.readyMasters(now).length === 0) return awaitApi(scene);
  if (!isMaster(scene)) return done;
  const missing = upgradedComponents.find(
    (name) => !isElsewhere(scene, name) && !machine.files.has(manifestOf(name)),
  );
  if (missing !== undefined)
    return { fail: `couldn't get the static pod hash of ${missing}: timed out waiting for the condition` };
  const configured = String(configuredVersion(scene)).replace(/^v/, '');
  if (configured === unit.config.replace(/^v/, '') && machine.staged.has(configured)) return done;
  return { fail: `[ERROR ImagePull]: failed to pull image k8s.gcr.io/kube-apiserver:v${configured}` };
}

const podOf = ({ cluster, unit }: Scene, component: Component): string =>
  component === 'kube-controller-manager'
    ? controllersPod(cluster, unit.config)
    : `${staticPod(component, unit.config)}${component === 'kube-apiserver' ? etcdServersFlag(cluster) : ''}`;

/** What the API server is told of members that stand apart, by the configuration that masters share; else nothing. */
function etcdServersFlag(cluster: Scene['cluster']): string {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const text = textMap(cluster.objects.get(reference), 'data')['ClusterConfiguration'] ?? '{}';
  const endpoints = field(load(text), 'etcd', 'external', 'endpoints');
  return Array.isArray(endpoints) ? `\n# --etcd-servers=${endpoints.join(',')}\n` : '';
}

/** kubeadm moves the old manifest away, and then the new one in. A machine that loses its power between has none. */
const moveAway =
  (component: Component): Phase['act'] =>
  (scene) => {
    const { machine } = scene;
    const path = manifestOf(component);
    const isSame = machine.files.get(path)?.content === podOf(scene, component);
    if (isMaster(scene) && !isElsewhere(scene, component) && !isSame) machine.files.delete(path);
    return done;
  };

/** What kubeadm makes anew with a component whose manifest changes (phases/upgrade/staticpods.go: renewCertsByComponent). */
const certificatesOf: Readonly<Record<Component, readonly string[]>> = {
  etcd: ['etcd/server', 'etcd/peer', 'etcd/healthcheck-client'],
  'kube-apiserver': ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'apiserver-etcd-client'],
  'kube-controller-manager': ['controller-manager.conf'],
  'kube-scheduler': ['scheduler.conf'],
};

const moveIn =
  (component: Component): Phase['act'] =>
  (scene) => {
    const { machine, now, cluster } = scene;
    const path = manifestOf(component);
    if (!isMaster(scene) || isElsewhere(scene, component) || machine.files.has(path)) return done;
    if (!scene.unit.keepsCertificates) renewCertificates(machine, now, certificatesOf[component]);
    machine.files.set(path, { content: podOf(scene, component), mode: 0o600 });
    machine.restarted.set(component, now);
    if (component === 'kube-apiserver') accuseOfApiSkew(cluster, scene.violate);
    return done;
  };

const awaitPod =
  (component: Component): Phase['act'] =>
  (scene) => {
    const { cluster, machine, unit, now } = scene;
    if (!isMaster(scene) || isElsewhere(scene, component)) return done;
    const isUp =
      component === 'kube-apiserver'
        ? cluster.isApiReady(machine, now)
        : cluster.isEtcdApart || cluster.etcd.byMachine(machine.name)?.running === true;
    if (isUp) return done;
    if (now - unit.phaseSince > upgradeTimeout)
      return { fail: `timed out waiting for the condition: ${component}` };
    return { again: 1000 };
  };

/** `kubeadm upgrade node`: the static pods one after another, then the kubelet's configuration. */
export const upgradePhases: readonly Phase[] = [
  { name: 'preflight', takes: 2000, act: preflight },
  ...upgradedComponents.flatMap((component): Phase[] => [
    { name: `control-plane/${component}`, takes: 500, act: moveAway(component) },
    { name: `control-plane/${component}`, takes: 20, act: moveIn(component) },
    { name: `control-plane/${component}`, takes: 1000, act: awaitPod(component) },
  ]),
  { name: 'kubelet-config', takes: 500, act: () => done },
];
