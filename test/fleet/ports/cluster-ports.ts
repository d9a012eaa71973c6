import { createHash } from 'node:crypto';
import type { EtcdDataPort } from '../../../provisioners/contract/etcd-data.ts';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { BackupPort } from '../../../provisioners/contract/ports/backup.ts';
import type { EtcdPort } from '../../../provisioners/contract/ports/etcd.ts';
import type { KubernetesPort } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { Provider } from '../../../provisioners/contract/provider.ts';
import type { Door } from './door.ts';

/** EtcdPort over the model. */
export const etcdPort = (door: Door): EtcdPort => ({
  members: (access) => door.call('etcd.members', { access }),
  removeMember: async (access, id) => {
    await door.call('etcd.removeMember', { access, id });
  },
  addLearner: async (access, peerURL) => {
    await door.call('etcd.addLearner', { access, peerURL });
  },
  promote: async (access, id) => {
    await door.call('etcd.promote', { access, id });
  },
  moveLeader: async (access, to) => {
    await door.call('etcd.moveLeader', { access, to });
  },
  snapshot: async (access) => {
    const { content, ...head } = await door.call('etcd.snapshot', { access });
    const bytes = Buffer.from(content, 'base64');
    return { ...head, bytes: bytes.length, data: inPieces(bytes) };
  },
});

/** EtcdDataPort over the model. */
export const etcdDataPort = (door: Door): EtcdDataPort => ({
  look: (machine, restore) => door.call('etcdData.look', { machine, restore }),
  place: async (machine, restore, { sha256, data }) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of data) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      throw new Transient('SSH-007', `what arrived on ${machine.name} has another SHA-256`);
    await door.call('etcdData.place', { machine, restore, content: bytes.toString('base64') });
  },
  status: (machine, restore) => door.call('etcdData.status', { machine, restore }),
  setAside: async (machine, restore) => {
    await door.call('etcdData.setAside', { machine, restore });
  },
  restore: async (machine, restore, { source, name }) => {
    await door.call('etcdData.restore', { machine, restore, source, name });
  },
});

async function* inPieces(content: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += 512) yield content.subarray(at, at + 512);
}

/** BackupPort over the model: one store for all destinations, which says what it was given and never how. */
export const backupPort = (door: Door): BackupPort => ({
  list: (at) => door.call('backup.list', { at }),
  find: async (at, key) => (await door.call('backup.find', { at, key })) ?? undefined,
  take: async (at, request, snapshot) => {
    const found = await door.call('backup.find', { at, key: request.key });
    if (found !== null) return found;
    const { data, ...taken } = await snapshot();
    const pieces: Uint8Array[] = [];
    for await (const piece of data) pieces.push(piece);
    const content = Buffer.concat(pieces).toString('base64');
    return door.call('backup.put', { at, request, taken, content });
  },
  remove: async (at, id) => {
    // As the archive does it: the manifest first, so that what is half removed is no backup any more.
    await door.call('backup.remove', { at, id });
    await door.call('backup.removeFile', { at, id });
  },
  open: async (at, id, fileSha256) => {
    const { manifest, content } = await door.call('backup.open', { at, id });
    const bytes = Buffer.from(content, 'base64');
    const data = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield* inPieces(bytes);
      if (createHash('sha256').update(bytes).digest('hex') !== fileSha256)
        throw new UserProblem(
          'BACKUP-009',
          `The backup ${id} is not the file that was kept under that name.`,
          {
            remedy: 'Choose another backup.',
          },
        );
    };
    return { manifest, data: data() };
  },
});

/** KubernetesPort over the model. */
export const kubernetesPort = (door: Door): KubernetesPort => ({
  version: async (access, master) => (await door.call('kubernetes.version', { access, master })) ?? undefined,
  versionAtEndpoint: async (access, endpoint) =>
    (await door.call('kubernetes.versionAtEndpoint', { access, endpoint })) ?? undefined,
  get: async (access, of) => (await door.call('kubernetes.get', { access, of })) ?? undefined,
  list: (access, of) => door.call('kubernetes.list', { access, of }),
  apply: async (access, objects) => {
    await door.call('kubernetes.apply', { access, objects });
  },
  markTemplate: async (access, of, annotation) => {
    await door.call('kubernetes.markTemplate', { access, of, annotation });
  },
  remove: async (access, of) => {
    await door.call('kubernetes.remove', { access, of });
  },
  decide: async (access, request, decision) => {
    await door.call('kubernetes.decide', { access, request, decision });
  },
  evict: (access, pod, gracePeriod) =>
    door.call('kubernetes.evict', { access, pod, ...(gracePeriod === undefined ? {} : { gracePeriod }) }),
  deletePod: async (access, pod, gracePeriod) => {
    const given = { access, pod, ...(gracePeriod === undefined ? {} : { gracePeriod }) };
    await door.call('kubernetes.deletePod', given);
  },
  disruptionBudgets: (access) =>
    door.call('kubernetes.list', {
      access,
      of: { apiVersion: 'policy/v1beta1', kind: 'PodDisruptionBudget' },
    }),
  setUnschedulable: (access, node, isUnschedulable, annotations) =>
    door.call('kubernetes.setUnschedulable', { access, node, isUnschedulable, annotations }),
  podLog: (access, namespace, pod, lines) =>
    door.call('kubernetes.podLog', { access, namespace, pod, lines }),
  throughService: async (access, { namespace, name }, path) =>
    (await door.call('kubernetes.throughService', { access, namespace, name, path })) ?? undefined,
});

/** Provider over the model; it calls itself `lab`, the type of the answer files that the tests use. */
export const fleetProvider = (door: Door): Provider => ({
  type: 'lab',
  preflight: (request) => door.call('provider.preflight', { request }),
  infrastructure: {
    observe: (cluster) => door.call('provider.infrastructure', { cluster }),
    prepare: async (cluster, network) => {
      await door.call('provider.prepare', { cluster, ...(network === undefined ? {} : { network }) });
    },
    remove: async (cluster) => {
      await door.call('provider.remove', { cluster });
    },
  },
  machines: {
    list: (cluster) => door.call('provider.list', { cluster }),
    create: (request) => door.call('provider.create', { request }),
    power: async (cluster, name, power) => {
      await door.call('provider.power', { cluster, name, power });
    },
    destroy: async (cluster, name) => {
      await door.call('provider.destroy', { cluster, name });
    },
  },
  ownership: {
    observe: (cluster) => door.call('provider.ownership', { cluster }),
    release: async (cluster) => {
      await door.call('provider.release', { cluster });
    },
    claim: async (cluster) => {
      await door.call('provider.claim', { cluster });
    },
    find: (addresses) => door.call('provider.find', { addresses }),
    clusters: () => door.call('provider.clusters', {}),
  },
  covers: ['balancers', 'volumes'],
  ledger: (cluster, policy) =>
    door.call('provider.ledger', { cluster, ...(policy === undefined ? {} : { policy }) }),
  sweep: (cluster, _signal, policy) =>
    door.call('provider.sweep', { cluster, ...(policy === undefined ? {} : { policy }) }),
});
