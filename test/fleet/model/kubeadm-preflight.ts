import { paths } from './cluster.ts';
import { documents, done, isMaster, type Look, type Scene } from './kubeadm-phase.ts';
import { isServing } from './machine.ts';

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
export function preflight(scene: Scene): Look {
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
