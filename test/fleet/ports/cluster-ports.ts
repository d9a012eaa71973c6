import type { EtcdPort, KubernetesPort } from '../../../provisioners/contract/ports.ts';
import type { Provider } from '../../../provisioners/contract/provider.ts';
import type { Door } from './door.ts';

/** EtcdPort over the model. */
export const etcdPort = (door: Door): EtcdPort => ({
  members: (access) => door.call('etcd.members', { access }),
  removeMember: async (access, id) => {
    await door.call('etcd.removeMember', { access, id });
  },
  moveLeader: async (access, to) => {
    await door.call('etcd.moveLeader', { access, to });
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
  remove: async (access, of) => {
    await door.call('kubernetes.remove', { access, of });
  },
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
  ledger: (cluster) => door.call('provider.ledger', { cluster }),
  sweep: (cluster) => door.call('provider.sweep', { cluster }),
});
