import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { changing, reachable, reading, type Through } from './call.ts';
import type { ModelCluster } from './cluster.ts';
import { MembershipRefused, type ModelMember } from './etcd.ts';
import type { Fleet } from './fleet.ts';

/** The cluster behind the first master whose etcd answers. */
export function etcdOf(fleet: Fleet, access: ControlPlaneAccess): ModelCluster {
  for (const reference of access.etcd ?? access.masters) {
    const machine = reachable(fleet, reference);
    if (machine === undefined) continue;
    const cluster = fleet.clusterOf(machine);
    const member = cluster.etcd.byMachine(machine.name);
    // A learner answers nobody who asks for the members (etcd 3.4).
    if (member?.running === true && !member.learner) return cluster;
  }
  throw new Transient(
    'ETCD-001',
    `etcd answers on none of ${access.masters.map(({ name }) => name).join(', ')}`,
  );
}

const memberOf = (cluster: ModelCluster, member: ModelMember): EtcdMember => ({
  id: member.id,
  name: member.name,
  peerURLs: [member.peerURL],
  started: member.started,
  learner: member.learner,
  healthy: member.running && cluster.etcd.hasQuorum,
  leader: cluster.etcd.leader === member.id,
  ...(member.running ? { revision: cluster.objects.revision } : {}),
});

function orTransient<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof MembershipRefused) throw new Transient('ETCD-002', error.message);
    throw error;
  }
}

/** EtcdPort's primitives. */
export const etcdCalls = {
  'etcd.members': reading(60, (fleet, { access }: Through): EtcdMember[] => {
    const cluster = etcdOf(fleet, access);
    return cluster.etcd.members.map((member) => memberOf(cluster, member));
  }),
  'etcd.removeMember': changing(120, (fleet, given: Through & { readonly id: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    const member = cluster.etcd.members.find(({ id }) => id === given.id);
    if (member === undefined) return null;
    const { etcd } = cluster;
    const isVoting = !member.learner && member.started;
    if (isVoting && !etcd.wouldKeepQuorumWithout(given.id)) {
      const silent = etcd.voters.filter(({ running }) => !running).map(({ name, id }) => name || id);
      throw new Blocked(
        'ETCD-003',
        `Removing member ${member.name} would leave etcd without quorum; silent: ${silent.join(', ') || 'none'}`,
        { remedy: 'Bring the other masters back first.' },
      );
    }
    const heir = etcd.voters.find(({ id, running }) => id !== given.id && running);
    if (etcd.leader === given.id && heir !== undefined) etcd.leader = heir.id;
    const hadApi = cluster.readyMasters(fleet.now).length > 0;
    orTransient(() => cluster.etcd.remove(given.id));
    if (cluster.isEtcdApart && hadApi && cluster.readyMasters(fleet.now).length === 0)
      fleet.violate('api-outage', `every API server asks ${member.machine} alone, which left etcd`);
    fleet.changed('etcd.removeMember', member.machine, by);
    return null;
  }),
  'etcd.addLearner': changing(120, (fleet, given: Through & { readonly peerURL: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    if (cluster.etcd.members.some((member) => member.peerURL === given.peerURL)) return null;
    const address = new URL(given.peerURL).hostname;
    const machine = fleet.byAddress.get(address);
    if (machine === undefined) throw new Error(`no machine of the model has ${address}`);
    orTransient(() => cluster.etcd.add(machine.name, address, true));
    fleet.births.push(`etcd member ${machine.name}`);
    fleet.changed('etcd.addLearner', machine.name, by);
    return null;
  }),
  'etcd.promote': changing(120, (fleet, given: Through & { readonly id: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    const member = cluster.etcd.members.find(({ id }) => id === given.id);
    if (member?.learner !== true) return null;
    if (cluster.machines.get(member.machine)?.isLearnerStuck === true)
      throw new Transient(
        'ETCD-002',
        'etcdserver: can only promote a learner member which is in sync with leader',
      );
    orTransient(() => cluster.etcd.promote(given.id));
    fleet.changed('etcd.promote', member.machine, by);
    return null;
  }),
  'etcd.moveLeader': changing(100, (fleet, given: Through & { readonly to: string }, by) => {
    const cluster = etcdOf(fleet, given.access);
    if (cluster.etcd.leader === given.to) return null;
    const target = cluster.etcd.voters.find(({ id }) => id === given.to);
    if (target?.running !== true) throw new Transient('ETCD-004', `Member ${given.to} cannot lead`);
    cluster.etcd.leader = given.to;
    fleet.changed('etcd.moveLeader', target.machine, by);
    return null;
  }),
};
