import type { Ports } from '../../provisioners/contract/ports.ts';

/** Calls that change nothing, by port. Whatever is not named here is refused: a new call is dangerous until it is. */
const reading: Readonly<Record<keyof Ports, readonly string[]>> = {
  host: ['reach', 'facts', 'probe', 'inspect', 'certificates', 'components'],
  file: ['differ', 'read', 'exist'],
  service: ['state', 'journal'],
  payload: ['summary', 'observe', 'text'],
  kubeadm: ['observe'],
  etcd: ['members'],
  etcdData: ['look', 'status'],
  kubernetes: [
    'version',
    'versionAtEndpoint',
    'get',
    'list',
    'disruptionBudgets',
    'podLog',
    'throughService',
  ],
  provider: ['preflight', 'ledger', 'infrastructure.observe', 'machines.list'],
  secrets: ['clusterKeys', 'value'],
  backup: ['list', 'find', 'open'],
  hooks: ['look'],
};

/** The same ports, of which every call that could change something throws before anything is called. */
export const readOnly = (ports: Ports): Ports => ({
  host: guarded(ports.host, reading.host, 'host.'),
  file: guarded(ports.file, reading.file, 'file.'),
  service: guarded(ports.service, reading.service, 'service.'),
  payload: guarded(ports.payload, reading.payload, 'payload.'),
  kubeadm: guarded(ports.kubeadm, reading.kubeadm, 'kubeadm.'),
  etcd: guarded(ports.etcd, reading.etcd, 'etcd.'),
  etcdData: guarded(ports.etcdData, reading.etcdData, 'etcdData.'),
  kubernetes: guarded(ports.kubernetes, reading.kubernetes, 'kubernetes.'),
  provider: guarded(ports.provider, reading.provider, 'provider.'),
  secrets: guarded(ports.secrets, reading.secrets, 'secrets.'),
  backup: guarded(ports.backup, reading.backup, 'backup.'),
  hooks: guarded(ports.hooks, reading.hooks, 'hooks.'),
});

/** `path`: how the names in `allowed` begin inside this port; `''` at its top. */
function guarded<Port extends object>(port: Port, allowed: readonly string[], what: string, path = ''): Port {
  return new Proxy(port, {
    get(target, name) {
      // With the target as receiver: ports are classes with private fields.
      const value: unknown = Reflect.get(target, name, target);
      const full = `${path}${String(name)}`;
      if (typeof value === 'object' && value !== null) return guarded(value, allowed, what, `${full}.`);
      if (typeof value !== 'function') return value;
      if (allowed.includes(full)) return value.bind(target) as unknown;
      return () => {
        throw new Error(`looking must change nothing, and ${what}${full} may`);
      };
    },
  });
}
