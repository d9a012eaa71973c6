import { createHash } from 'node:crypto';
import type { ModelCluster } from './model/cluster.ts';
import type { Fleet } from './model/fleet.ts';
import type { StoredObject } from './model/kubernetes.ts';
import type { ModelMachine } from './model/machine.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

const sorted = <T>(entries: Iterable<readonly [string, T]>): [string, T][] =>
  [...entries].map(([key, value]): [string, T] => [key, value]).sort(([a], [b]) => a.localeCompare(b));

/** A machine without what a run may rightly differ in: times, provider ids, member ids. */
function machineState(machine: ModelMachine, uid: string): unknown {
  const files = sorted(machine.files).filter(([path]) => path !== '/var/lib/etcd/member');
  return {
    name: machine.name,
    role: machine.role,
    incarnation: machine.incarnation,
    address: machine.address,
    power: machine.power,
    hostname: machine.hostname,
    modules: machine.modules,
    sysctls: machine.sysctls,
    hosts: machine.hosts,
    showsOwnKey: machine.shownHostKey === machine.ownHostKey,
    files: Object.fromEntries(
      files.map(([path, { content, mode }]) => [
        path,
        `${mode.toString(8)} ${digest(content.replaceAll(uid, '<uid>').replace(/ until \S+$/, ''))}`,
      ]),
    ),
    services: Object.fromEntries(
      sorted(machine.services).map(([name, { active, enabled }]) => [name, { active, enabled }]),
    ),
    payloads: Object.fromEntries(sorted(machine.payloads)),
    runsCommand: [...machine.units.values()].some((unit) => unit.ended === undefined),
  };
}

const serverFields = new Set([
  'uid',
  'creationTimestamp',
  'resourceVersion',
  'generation',
  'changedAt',
  'decidedAt',
]);

/** A bootstrap token runs out a day after it was made: a time, and nothing else, may differ. */
const withoutExpiration = (object: StoredObject): object =>
  object['type'] === 'bootstrap.kubernetes.io/token'
    ? { ...object, data: { ...(object['data'] as object), expiration: undefined } }
    : object;

/** A kubelet draws another key each time, and asks and is answered at another moment. */
const withoutRequest = (object: StoredObject): object =>
  object.kind === 'CertificateSigningRequest'
    ? { ...object, spec: undefined, status: undefined, remudaModel: undefined }
    : withoutExpiration(object);

function objectState(object: StoredObject): unknown {
  const metadata = Object.fromEntries(
    sorted(Object.entries(object.metadata)).filter(([key]) => !serverFields.has(key)),
  );
  return { ...withoutRequest(object), metadata };
}

function clusterState(cluster: ModelCluster): unknown {
  const machines = sorted(cluster.machines).map(([, machine]) => machineState(machine, cluster.identity.uid));
  const isGone = machines.length === 0;
  return {
    infrastructure: cluster.infrastructure,
    made: [...cluster.made.values()].map(({ type, of }) => `${type} of ${of}`).sort(),
    machines,
    members: isGone
      ? []
      : cluster.etcd.members
          .map(({ machine, started, learner, running }) => ({ machine, started, learner, running }))
          .sort((a, b) => a.machine.localeCompare(b.machine)),
    objects: isGone ? [] : sorted(cluster.objects.objects).map(([, object]) => objectState(object)),
  };
}

/** Everything observable about the fleet that must be the same however often somebody was killed on the way. The cluster's uid is drawn anew in each run. */
export const finalState = (fleet: Fleet): string =>
  Array.from(fleet.clusters.values())
    .map((cluster) =>
      JSON.stringify(clusterState(cluster), undefined, 1).replaceAll(cluster.identity.uid, '<uid>'),
    )
    .sort()
    .join('\n');
