import type { ClusterSettings } from '../../../provisioners/kubernetes/cluster-settings.ts';

/** Settings of a small cluster on the lab's version. */
export const settings: ClusterSettings = {
  name: 'c',
  kubernetesVersion: 'v1.20.2',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  serviceDomain: 'cluster.local',
  endpoint: { host: '10.0.0.100', port: 6443 },
  apiPort: 6444,
  certSANs: ['api.example'],
  extraArgs: { apiServer: {}, controllerManager: {}, scheduler: {}, etcd: {}, kubelet: {} },
  patches: [],
};
