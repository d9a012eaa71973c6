import { connect } from 'node:net';
import type { KubernetesPort } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { ClientCertificates } from '../client-certificates.ts';
import type { KeptConnections } from '../kept-connections.ts';
import type { Machines } from '../machines.ts';
import { Api, probePatience } from './kubernetes-api.ts';
import { deletePod, evict, listBudgets, setUnschedulable } from './kubernetes-drain.ts';
import { objectPath } from './kubernetes-paths.ts';
import { refused } from './kubernetes-refusal.ts';
import { decide, markTemplate, requestToken } from './kubernetes-requests.ts';

/** The Kubernetes API over its own REST, each master's own API server through SSH. */
export function createKubernetesPort(
  machines: Machines,
  certificates: ClientCertificates,
  signal: () => AbortSignal,
  connections?: KeptConnections,
): KubernetesPort {
  const api = new Api(machines, certificates, signal, connections);
  return {
    version: (access, master) =>
      api.version(master, () => machines.forward(master, '127.0.0.1', access.apiPort)),
    versionAtEndpoint: (_access, { host, port }) =>
      api.version({ name: `${host}:${port}` }, () => connect({ host, port, timeout: probePatience })),
    async get(access, reference) {
      const path = objectPath(await api.resource(access, reference), reference);
      return api.json(await api.ask(access, { method: 'GET', path }));
    },
    list: (access, of) => api.list(access, of),
    async apply(access, objects) {
      for (const object of objects) await api.apply(access, object);
    },
    markTemplate: (access, workload, annotation) => markTemplate(api, access, workload, annotation),
    async remove(access, reference) {
      const path = objectPath(await api.resource(access, reference), reference);
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Foreground',
      });
      api.json(await api.ask(access, { method: 'DELETE', path, body }));
    },
    evict: (access, pod, gracePeriod) => evict(api, access, pod, gracePeriod),
    deletePod: (access, pod, gracePeriod) => deletePod(api, access, pod, gracePeriod),
    disruptionBudgets: (access) => listBudgets(api, access),
    setUnschedulable: (access, node, isUnschedulable, annotations) =>
      setUnschedulable(api, access, { ...node, isUnschedulable, annotations }),
    async podLog(access, namespace, pod, lines) {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?tailLines=${lines}`;
      const reply = await api.ask(access, { method: 'GET', path });
      if (reply.status !== 200) throw refused(reply, `the log of pod ${namespace}/${pod}`);
      return reply.text.split('\n').filter((line) => line !== '');
    },
    requestToken: (access, account, seconds) => requestToken(api, access, account, seconds),
    decide: (access, request, decision) => decide(api, access, request, decision),
    async throughService(access, { namespace, name, port }, path) {
      const proxy = `/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy/${path.replace(/^\//u, '')}`;
      const reply = await api.ask(access, { method: 'GET', path: proxy });
      return reply.status >= 200 && reply.status < 300 ? reply.text : undefined;
    },
  };
}
