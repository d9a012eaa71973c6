import { awaitApi, done, isMaster, write, type Look, type Phase, type Scene } from './kubeadm-phase.ts';
import { upgradePhases } from './kubeadm-upgrade.ts';
import { leafText, renewCertificates } from './certificates.ts';
import { isKeyed } from './trust.ts';
import type { ModelUnit } from './machine.ts';
import { addons, controlPlaneFiles, joinPrepare, upload, waitControlPlane } from './kubeadm-control-plane.ts';
import { bootstrapEtcd, etcdLocal, joinEtcd } from './kubeadm-etcd.ts';
import { kubeletStart, markControlPlane, registerWhenUp } from './kubeadm-node.ts';
import { preflight } from './kubeadm-preflight.ts';

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
