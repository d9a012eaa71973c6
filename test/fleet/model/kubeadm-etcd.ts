import { paths } from './cluster.ts';
import { staticPod } from './in-place.ts';
import {
  controlPlaneTimeout,
  documentOf,
  done,
  externalEtcd,
  startPods,
  versionOn,
  write,
  type Look,
  type Scene,
} from './kubeadm-phase.ts';
import { MembershipRefused, ModelEtcd } from './etcd.ts';
import { field } from './kubernetes.ts';
import type { ModelMachine } from './machine.ts';

/** How long it waits for etcd to be available after adding a member, in all (kubeadm 1.20: 8 tries of 5 s and more). */
const etcdTimeout = 120_000;

/** kubeadm adds etcd members as learners from 1.29 on (EtcdLearnerMode, on by default). */
const usesLearners = (machine: ModelMachine): boolean =>
  Number(/^v?1\.(\d+)/.exec(versionOn(machine))?.[1] ?? 0) >= 29;

function startEtcdData({ machine, faults }: Scene, member: string): void {
  write(machine, paths.etcdManifest, staticPod('etcd', versionOn(machine)));
  if (faults.strikes('joiner-never-starts', machine.name)) machine.isJoinerDead = true;
  else write(machine, paths.etcdData, member);
  if (faults.strikes('learner-never-promotes', machine.name)) machine.isLearnerStuck = true;
  if (faults.rejectsStaticPod(machine.name)) machine.isPodRejected = true;
}

/** The first member, or the one that goes on with the data that lies there. */
export function bootstrapEtcd(scene: Scene): Look {
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

/** One more member: added, started, and promoted where it was a learner. */
export function joinEtcd(scene: Scene): Look {
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

/** `init phase etcd local` on a machine of etcd alone: who begins, and who joins, stands in the flags of its pod. */
export function etcdLocal(scene: Scene): Look {
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
