import { dump, load, loadAll } from 'js-yaml';
import { paths } from './cluster.ts';
import { controllersPod, signingFileOf, staticPod, upgradedComponents } from './in-place.ts';
import { awaitApi, configuredVersion, type Look, type Phase, type Scene } from './kubeadm-phase.ts';
import { upgradePhases } from './kubeadm-upgrade.ts';
import { MembershipRefused, ModelEtcd } from './etcd.ts';
import { field, textMap } from './kubernetes.ts';
import { leafCertificates, leafText, renewCertificates } from './certificates.ts';
import { authorityLine, isKeyed } from './trust.ts';
import { isServing, type ModelMachine, type ModelUnit } from './machine.ts';

const done: Look = { done: true };
/** How long kubeadm waits for the control plane (its TimeoutForControlPlane: 4 minutes). */
const controlPlaneTimeout = 240_000;
/** How long it waits for etcd to be available after adding a member, in all (kubeadm 1.20: 8 tries of 5 s and more). */
const etcdTimeout = 120_000;

function documents(unit: ModelUnit): readonly unknown[] {
  try {
    return loadAll(unit.config) as readonly unknown[];
  } catch {
    return [];
  }
}

const documentOf = (unit: ModelUnit, kind: string): unknown =>
  documents(unit).find((document) => field(document, 'kind') === kind);

const nodeName = ({ unit, machine }: Scene): string => {
  const kind = unit.verb === 'init' ? 'InitConfiguration' : 'JoinConfiguration';
  return String(field(documentOf(unit, kind), 'nodeRegistration', 'name') ?? machine.hostname);
};

/** Whether it makes the machine a master. */
export const isMaster = (unit: ModelUnit): boolean =>
  unit.verb === 'init' || field(documentOf(unit, 'JoinConfiguration'), 'controlPlane') !== undefined;

/** Kubernetes version on a machine: that of its payload. */
export const versionOn = (machine: ModelMachine): string => [...machine.payloads.keys()].at(-1) ?? 'none';

/** kubeadm adds etcd members as learners from 1.29 on (EtcdLearnerMode, on by default). */
const usesLearners = (machine: ModelMachine): boolean =>
  Number(/^v?1\.(\d+)/.exec(versionOn(machine))?.[1] ?? 0) >= 29;

function write(machine: ModelMachine, path: string, content: string, mode = 0o600): void {
  machine.files.set(path, { content, mode });
}

const masterFiles = [
  paths.etcdManifest,
  paths.apiManifest,
  paths.controllerManifest,
  paths.schedulerManifest,
];
const nodeFiles = [paths.kubeletConf, '/etc/kubernetes/bootstrap-kubelet.conf'];

/** Ports that something of Kubernetes holds on the machine now. */
function heldPorts({ cluster, machine, now }: Scene): string[] {
  const member = cluster.etcd.byMachine(machine.name);
  return [
    ...(isServing(machine, 'kubelet', now) && machine.files.has(paths.kubeletConfig) ? ['10250'] : []),
    ...(member?.running === true ? ['2379', '2380'] : []),
    ...(machine.files.has(paths.apiManifest) && isServing(machine, 'kubelet', now)
      ? ['6444', '10257', '10259']
      : []),
  ];
}

/** kubeadm's checks as far as the model can fail them, with kubeadm's ids (cmd/kubeadm/app/preflight/checks.go). */
function preflight(scene: Scene): Look {
  const { machine, unit, now } = scene;
  const taken = [...(isMaster(unit) ? masterFiles : []), ...(unit.verb === 'join' ? nodeFiles : [])];
  const errors: [id: string, text: string][] = [
    ...(machine.services.get('containerd')?.active === true
      ? []
      : [['CRI', 'container runtime is not running'] as [string, string]]),
    ...taken
      .filter((path) => machine.files.has(path))
      .map((path): [string, string] => [
        `FileAvailable-${path.replaceAll('/', '-')}`,
        `${path} already exists`,
      ]),
    ...heldPorts(scene).map((port): [string, string] => [`Port-${port}`, `Port ${port} is in use`]),
    ...(isMaster(unit) && machine.files.has(paths.etcdData)
      ? [['DirAvailable--var-lib-etcd', '/var/lib/etcd is not empty'] as [string, string]]
      : []),
  ];
  const fatal = errors.filter(([id]) => !unit.ignored.includes(id) && !unit.ignored.includes('all'));
  const texts = fatal.map(([id, text]) => `[ERROR ${id}]: ${text}`);
  if (documents(unit).length === 0) texts.push('error: the configuration cannot be read');
  if (machine.diskFull) texts.push('no space left on device');
  if (Math.abs(machine.clockOffset) > 300)
    texts.push(
      `x509: certificate has expired or is not yet valid: current time ${new Date(now + machine.clockOffset * 1000).toISOString()}`,
    );
  return texts.length === 0 ? done : { fail: texts.join('\n') };
}

/** kubeadm keeps the kubelets' configuration in the cluster under this key. */
const kubeletKey = 'kubelet';

/** init is given it, whoever joins takes the cluster's. */
function kubeletConfigOf({ cluster, unit }: Scene): string {
  const given = documentOf(unit, 'KubeletConfiguration');
  if (unit.verb === 'init') return dump(given ?? {});
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubelet-config' };
  return textMap(cluster.objects.get(reference), 'data')[kubeletKey] ?? '';
}

function kubeletStart(scene: Scene): Look {
  const { machine, now } = scene;
  write(machine, paths.kubeletConfig, kubeletConfigOf(scene), 0o644);
  const kubelet = machine.services.get('kubelet');
  machine.services.set('kubelet', { active: true, enabled: kubelet?.enabled ?? false, since: now });
  machine.staticPodsSince = now;
  machine.downSince = undefined;
  return done;
}

type Component = (typeof upgradedComponents)[number];

/** `/etc/kubernetes/manifests/kube-apiserver.yaml` → `kube-apiserver`. */
const componentAt = (path: string): Component =>
  upgradedComponents.find((name) => path.endsWith(`/${name}.yaml`)) ?? 'etcd';

const masterManifests = [paths.apiManifest, paths.controllerManifest, paths.schedulerManifest];

/** Members of etcd that stand apart, as the configuration of this command or of the cluster names them. */
function externalEtcd({ cluster, unit }: Scene): readonly string[] | undefined {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
  const shared = load(textMap(cluster.objects.get(reference), 'data')['ClusterConfiguration'] ?? '{}');
  const configuration = unit.verb === 'init' ? documentOf(unit, 'ClusterConfiguration') : shared;
  const endpoints = field(configuration, 'etcd', 'external', 'endpoints');
  return Array.isArray(endpoints) ? endpoints.map(String) : undefined;
}

/** A master runs what the cluster's configuration says; its own payload must hold just those images. */
function joinPrepare(scene: Scene): Look {
  const configured = configuredVersion(scene);
  if (configured === version(scene.machine)) return controlPlaneFiles(scene);
  return { fail: `[ERROR ImagePull]: failed to pull image k8s.gcr.io/kube-apiserver:${String(configured)}` };
}

function controlPlaneFiles(scene: Scene): Look {
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

const clusterInfo = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-public', name: 'cluster-info' };

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

function register(scene: Scene): void {
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

const version = (machine: ModelMachine): string => `v${versionOn(machine).replace(/^v/, '')}`;

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

function markControlPlane(scene: Scene): Look {
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

function startEtcdData({ machine, faults }: Scene, member: string): void {
  write(machine, paths.etcdManifest, staticPod('etcd', versionOn(machine)));
  if (faults.strikes('joiner-never-starts', machine.name)) machine.isJoinerDead = true;
  else write(machine, paths.etcdData, member);
  if (faults.strikes('learner-never-promotes', machine.name)) machine.isLearnerStuck = true;
  if (faults.rejectsStaticPod(machine.name)) machine.isPodRejected = true;
}

function bootstrapEtcd(scene: Scene): Look {
  if (scene.unit.verb === 'init' && externalEtcd(scene) !== undefined) return startPods(scene);
  const { cluster, machine, now } = scene;
  // Run again over what an earlier run left: etcd goes on with its data.
  if (machine.files.has(paths.etcdData) && cluster.etcd.byMachine(machine.name) !== undefined) {
    if (machine.files.has(paths.etcdManifest)) return done;
    // Data that was laid down before kubeadm came: it is not looked into.
    write(machine, paths.etcdManifest, staticPod('etcd', versionOn(machine)));
    machine.staticPodsSince = now;
    return done;
  }
  const others = cluster.etcd.members.filter((member) => member.started && member.machine !== machine.name);
  if (others.length > 0)
    scene.violate('second-cluster', `kubeadm init on ${machine.name} while etcd lives elsewhere`);
  const everAdded = [...cluster.etcd.everAdded];
  cluster.etcd = new ModelEtcd(everAdded);
  cluster.objects.objects.clear();
  startEtcdData(scene, cluster.etcd.bootstrap(machine.name, machine.address).id);
  machine.staticPodsSince = now;
  return done;
}

function startPods({ machine, now }: Scene): Look {
  machine.staticPodsSince = now;
  return done;
}

function waitControlPlane({ cluster, machine, unit, now }: Scene): Look {
  if (cluster.isApiReady(machine, now)) return done;
  if (now - unit.phaseSince > controlPlaneTimeout)
    return { fail: 'timed out waiting for the condition: the control plane did not start' };
  return { again: 1000 };
}

function upload(scene: Scene): Look {
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

function addons({ cluster, machine, unit, now }: Scene): Look {
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

function joinEtcd(scene: Scene): Look {
  if (externalEtcd(scene) !== undefined) return startPods(scene);
  const { cluster, machine, unit, now } = scene;
  if (unit.looks === 0) {
    try {
      startEtcdData(scene, cluster.etcd.add(machine.name, machine.address, usesLearners(machine)).id);
    } catch (error) {
      if (error instanceof MembershipRefused)
        return { fail: `error creating local etcd static pod manifest file: ${error.message}` };
      throw error;
    }
    machine.staticPodsSince = now;
  }
  const member = cluster.etcd.byMachine(machine.name);
  if (member?.running === true && !(member.learner && machine.isLearnerStuck)) {
    if (member.learner) cluster.etcd.promote(member.id);
    return done;
  }
  const limit = machine.isPodRejected ? controlPlaneTimeout : etcdTimeout;
  if (now - unit.phaseSince > limit)
    return {
      fail: 'error creating local etcd static pod manifest file: timeout waiting for etcd cluster to be available',
    };
  return { again: 1000 };
}

function registerWhenUp(scene: Scene): Look {
  if (scene.cluster.readyMasters(scene.now).length === 0) return awaitApi(scene);
  register(scene);
  return done;
}

/** What `kubeadm reset` removes without its phase remove-etcd-member (cmd/phases/reset/cleanupnode.go). */
const resetPaths = [
  '/etc/kubernetes/manifests/',
  '/etc/kubernetes/pki/',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/controller-manager.conf',
  '/etc/kubernetes/scheduler.conf',
  '/var/lib/kubelet/',
  '/var/lib/cni/',
];

function cleanUp({ machine, cluster, now }: Scene): Look {
  for (const path of machine.files.keys())
    if (resetPaths.some((owned) => path.startsWith(owned))) machine.files.delete(path);
  const kubelet = machine.services.get('kubelet');
  if (kubelet !== undefined) kubelet.active = false;
  machine.downSince = now;
  machine.isPodRejected = false;
  machine.isJoinerDead = false;
  machine.isLearnerStuck = false;
  cluster.refresh(now);
  return done;
}

const initPhases: readonly Phase[] = [
  { name: 'preflight', takes: 2000, act: preflight },
  { name: 'certs', takes: 2500, act: controlPlaneFiles },
  { name: 'kubelet-start', takes: 1500, act: kubeletStart },
  { name: 'etcd', takes: 500, act: bootstrapEtcd },
  { name: 'wait-control-plane', takes: 1000, act: waitControlPlane },
  { name: 'upload-config', takes: 1000, act: upload },
  { name: 'mark-control-plane', takes: 500, act: markControlPlane },
  { name: 'addon', takes: 500, act: addons },
];

const masterJoinPhases: readonly Phase[] = [
  { name: 'preflight', takes: 2000, act: preflight },
  { name: 'discovery', takes: 1000, act: awaitApi },
  { name: 'control-plane-prepare', takes: 2000, act: joinPrepare },
  { name: 'kubelet-start', takes: 1500, act: kubeletStart },
  { name: 'kubelet-bootstrap', takes: 1500, act: registerWhenUp },
  { name: 'control-plane-join/etcd', takes: 1000, act: joinEtcd },
  { name: 'control-plane-join/mark-control-plane', takes: 500, act: markControlPlane },
];

const workerJoinPhases: readonly Phase[] = [
  { name: 'preflight', takes: 2000, act: preflight },
  { name: 'discovery', takes: 1000, act: awaitApi },
  { name: 'kubelet-start', takes: 1500, act: kubeletStart },
  { name: 'kubelet-bootstrap', takes: 1500, act: registerWhenUp },
];

const resetPhases: readonly Phase[] = [{ name: 'cleanup-node', takes: 2000, act: cleanUp }];

const renewPhases: readonly Phase[] = [
  {
    name: 'renew',
    takes: 1500,
    act({ machine, now }) {
      if (machine.diskFull) return { fail: 'no space left on device' };
      const mismatch = ['ca', 'etcd/ca', 'front-proxy-client'].find((name) => !isKeyed(machine, name));
      if (mismatch !== undefined) return { fail: `${mismatch}: private key does not match public key` };
      renewCertificates(machine, now);
      return done;
    },
  },
];

/** `init phase etcd local` on a machine of etcd alone: who begins, and who joins, stands in the flags of its pod. */
function etcdLocal(scene: Scene): Look {
  const { cluster, machine, unit, now } = scene;
  const flags = field(documentOf(unit, 'ClusterConfiguration'), 'etcd', 'local', 'extraArgs');
  const text = JSON.stringify(flags ?? {});
  const member = cluster.etcd.byMachine(machine.name);
  const isThere = machine.files.has(paths.etcdData) && machine.files.has(paths.etcdManifest);
  // Over a member that works: its static pod becomes one of the version on board, its data stays.
  if (isThere && member?.started === true) {
    const pod = staticPod('etcd', versionOn(machine));
    if (machine.files.get(paths.etcdManifest)?.content === pod) return done;
    write(machine, paths.etcdManifest, pod);
    machine.restarted.set('etcd', now);
    return done;
  }
  if (!text.includes('existing')) return bootstrapEtcd(scene);
  if (member === undefined) return { fail: 'member count is unequal' };
  startEtcdData(scene, member.id);
  machine.staticPodsSince = now;
  return done;
}

const singlePhase = (name: string): Phase => ({
  name,
  takes: 700,
  act(scene) {
    const { machine, now } = scene;
    if (machine.diskFull) return { fail: 'no space left on device' };
    if (name === 'etcd local') return etcdLocal(scene);
    const leaf = name.replace(/^certs /, '').replace(/^etcd-/, 'etcd/');
    const path = `/etc/kubernetes/pki/${leaf}.crt`;
    if (!machine.files.has('/etc/kubernetes/pki/etcd/ca.key')) return { fail: 'etcd/ca.key: no such file' };
    if (!machine.files.has(path)) write(machine, path, leafText(leaf, machine, now), 0o644);
    write(machine, path.replace(/crt$/, 'key'), `key of ${leaf}`);
    return done;
  },
});

/** The phases of a command, in kubeadm's order. */
export function phasesOf(unit: ModelUnit): readonly Phase[] {
  if (unit.verb === 'reset') return resetPhases;
  if (unit.verb === 'renew') return renewPhases;
  if (unit.verb === 'upgrade') return upgradePhases;
  if (unit.verb === 'phases') return unit.phases.map(singlePhase);
  if (unit.verb === 'init') return initPhases;
  return isMaster(unit) ? masterJoinPhases : workerJoinPhases;
}

/** Runs the unit's current phase once; answers when to look next (ms), or undefined when the command has ended. */
export function lookAt(scene: Scene): number | undefined {
  const { unit, machine, now } = scene;
  const phases = phasesOf(unit);
  const phase = phases[unit.phase];
  if (phase === undefined) return end(unit, 0, now);
  const look = phase.act(scene);
  if ('fail' in look) {
    unit.lines.push(...look.fail.split('\n').map((line) => `[${phase.name}] ${line}`));
    return end(unit, 1, now);
  }
  if ('again' in look) {
    unit.looks += 1;
    return look.again;
  }
  unit.lines.push(`[${phase.name}] done`);
  Object.assign(unit, { phase: unit.phase + 1, looks: 0, phaseSince: now });
  const next = phases[unit.phase];
  return next === undefined ? end(unit, 0, now) : next.takes * machine.slowness;
}

function end(unit: ModelUnit, exitCode: number, now: number): undefined {
  unit.lines.push(exitCode === 0 ? 'This node is done.' : 'error execution phase');
  unit.ended = { exitCode, at: now };
  return undefined;
}
