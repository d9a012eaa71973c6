/**
 * What runs through the long story: a web server of three behind one Service, held by a disruption budget, that goes on
 * serving while kube-proxies hear that it leaves; and two pods to ask it from. Images are the payload's.
 */
const namespace = 'steady';

const budget = (app: string) => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodDisruptionBudget',
  metadata: { name: app, namespace },
  spec: { maxUnavailable: 1, selector: { matchLabels: { app } } },
});

const deployment = (app: string, replicas: number, container: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: app, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: {
        terminationGracePeriodSeconds: 10,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app } },
          },
        ],
        containers: [{ name: app, imagePullPolicy: 'Never', ...container }],
      },
    },
  },
});

/** The workload and how to ask it. */
export const steadyWorkload = {
  namespace,
  asker: 'asker',
  url: `http://web.${namespace}.svc.cluster.local:8080/`,
  manifest: JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace },
        spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 8080, protocol: 'TCP' }] },
      },
      deployment('web', 3, {
        image: 'remuda.dev/lab/probe:1',
        env: [
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        ],
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
        lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
      }),
      budget('web'),
      deployment('asker', 2, {
        image: 'remuda.dev/lab/cluster-dns:1',
        command: ['/bin/bash', '-c', 'trap "exit 0" TERM; sleep 36000 & wait'],
      }),
      budget('asker'),
    ],
  }),
};
