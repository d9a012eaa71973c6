/**
 * A web server on every node behind one Service, and a client that has a resolver and curl. Images are the payload's.
 * Nobody would make the client again: it stands on a machine that stays, or a drain would rightly wait for a word.
 */
export const workload = {
  namespace: 'story',
  url: 'http://echo.story.svc.cluster.local:8080/',
  manifest: JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'story' } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'echo', namespace: 'story' },
        spec: { selector: { app: 'echo' }, ports: [{ port: 8080, targetPort: 8080, protocol: 'TCP' }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'echo', namespace: 'story' },
        spec: {
          selector: { matchLabels: { app: 'echo' } },
          template: {
            metadata: { labels: { app: 'echo' } },
            spec: {
              tolerations: [{ operator: 'Exists' }],
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: 'echo',
                  image: 'remuda.dev/lab/probe:1',
                  imagePullPolicy: 'Never',
                  env: [
                    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                    { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                  ],
                  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'client', namespace: 'story' },
        spec: {
          nodeName: 'story-general-1',
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'client',
              image: 'remuda.dev/lab/cluster-dns:1',
              imagePullPolicy: 'Never',
              command: ['/bin/bash', '-c', 'sleep 36000'],
            },
          ],
        },
      },
    ],
  }),
};
