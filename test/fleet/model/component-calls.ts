import type { ComponentState, ControlPlaneComponent } from '../../../provisioners/contract/control-plane.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { changing, connect, connectToChange, reading } from './call.ts';
import { certificateOf, leafLife, loaded, readText } from './certificates.ts';
import { etcdServersOf, paths, type ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { isServing, type ModelMachine, startedAt } from './machine.ts';

interface OnMachine {
  readonly machine: MachineRef;
}

/** An argument that kubeadm gives each. */
const argumentOf: Readonly<Record<ControlPlaneComponent['name'], string>> = {
  etcd: '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
  'kube-apiserver': '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
  'kube-controller-manager': '--kubeconfig=/etc/kubernetes/controller-manager.conf',
  'kube-scheduler': '--kubeconfig=/etc/kubernetes/scheduler.conf',
};

/** Time from start to the first answer, ms. */
const startOf: Readonly<Record<ControlPlaneComponent['name'], number>> = {
  etcd: 3000,
  'kube-apiserver': 10_000,
  'kube-controller-manager': 2000,
  'kube-scheduler': 2000,
};

/** Whether its process runs, whether it answers yet or not. */
function isRunning(fleet: Fleet, machine: ModelMachine, { name, argument }: ControlPlaneComponent): boolean {
  const isKept =
    isServing(machine, 'kubelet', fleet.now) &&
    isServing(machine, 'containerd', fleet.now) &&
    machine.files.has(`/etc/kubernetes/manifests/${name}.yaml`);
  const hasData = name !== 'etcd' || (machine.files.has(paths.etcdData) && !machine.isPodRejected);
  const isGiven =
    name === 'kube-apiserver' && argument === `--etcd-servers=${etcdServersOf(machine)?.join(',')}`;
  const isTold =
    name === 'kube-controller-manager' &&
    machine.files.get(paths.controllerManifest)?.content.includes(argument) === true;
  return (argument === argumentOf[name] || isGiven || isTold) && isKept && hasData;
}

function stateOf(fleet: Fleet, machine: ModelMachine, component: ControlPlaneComponent): ComponentState {
  const { name, files } = component;
  if (!isRunning(fleet, machine, component)) return { name, running: false, outdated: [] };
  const since = startedAt(machine, name);
  const path = certificateOf[name];
  // A year less an hour, as client-go makes them.
  const own = `${name} of ${machine.name} until ${new Date(since + leafLife - 3_600_000).toISOString()}`;
  const served = readText(path === undefined ? own : loaded(machine, path, since));
  const outdated = files.filter((file) => (machine.files.get(file)?.changed?.at ?? 0) > since);
  const isAnswering = since + startOf[name] * machine.slowness <= fleet.now;
  return { name, running: true, outdated, ...(isAnswering ? { served } : {}) };
}

/** Whether nobody else can take over: one voter has no others, and of two each is needed. */
const isWithoutOthers = (cluster: ModelCluster): boolean => cluster.etcd.voters.length <= 2;

/** The part of HostPort that looks at static pods. */
export const componentCalls = {
  'host.components': reading(
    120,
    (fleet, given: OnMachine & { readonly asked: readonly ControlPlaneComponent[] }): ComponentState[] => {
      const machine = connect(fleet, given.machine);
      return given.asked.map((component) => stateOf(fleet, machine, component));
    },
  ),
  'host.restartComponent': changing(
    400,
    (fleet, given: OnMachine & { readonly component: ControlPlaneComponent }, by) => {
      const machine = connectToChange(fleet, given.machine, by);
      const { name } = given.component;
      if (!isRunning(fleet, machine, given.component)) return null;
      const cluster = fleet.clusterOf(machine);
      const hadApi = cluster.readyMasters(fleet.now).length > 0;
      machine.restarted.set(name, fleet.now);
      if (isWithoutOthers(cluster)) fleet.refresh(cluster, undefined);
      fleet.changed('host.restartComponent', `${machine.name}:${name}`, by);
      fleet.watchStart(machine);
      if (hadApi && cluster.readyMasters(fleet.now).length === 0 && !isWithoutOthers(cluster))
        fleet.violate('api-outage', `${name} restarted on ${machine.name}`);
      return null;
    },
  ),
};
