import type { JoinInput, KubeadmInput } from './kubeadm-input.ts';
import {
  bootstrapTokens,
  certSANs,
  componentArguments,
  etcdSection,
  extraVolumes,
  localEndpoint,
  networking,
} from './kubeadm-parts.ts';
import { paths } from './paths.ts';

const apiVersion = 'kubeadm.k8s.io/v1beta2';

/**
 * kubeadm.k8s.io/v1beta2, for minors up to 1.21: flags as a map, patches by the command line only
 * (https://pkg.go.dev/k8s.io/kubernetes@v1.20.2/cmd/kubeadm/app/apis/kubeadm/v1beta2).
 */
const nodeRegistration = (input: KubeadmInput): object => ({
  name: input.machine.name,
  criSocket: input.minor.criSocket,
  kubeletExtraArgs: componentArguments(input).kubelet,
});

export const initConfiguration = (input: KubeadmInput): object => ({
  apiVersion,
  kind: 'InitConfiguration',
  bootstrapTokens: bootstrapTokens(input),
  localAPIEndpoint: localEndpoint(input),
  nodeRegistration: nodeRegistration(input),
});

export function clusterConfiguration(input: KubeadmInput): object {
  const components = componentArguments(input);
  return {
    apiVersion,
    kind: 'ClusterConfiguration',
    ...networking(input),
    apiServer: {
      certSANs: certSANs(input),
      extraArgs: components.apiServer.args,
      extraVolumes: extraVolumes(components.apiServer),
    },
    controllerManager: { extraArgs: components.controllerManager },
    scheduler: { extraArgs: components.scheduler },
    etcd: etcdSection(input, { dataDir: '/var/lib/etcd', extraArgs: components.etcd }),
  };
}

export const joinConfiguration = (input: JoinInput): object => ({
  apiVersion,
  kind: 'JoinConfiguration',
  discovery: { file: { kubeConfigPath: paths.discovery }, tlsBootstrapToken: input.bootstrapToken },
  nodeRegistration: nodeRegistration(input),
  ...(input.isMaster ? { controlPlane: { localAPIEndpoint: localEndpoint(input) } } : {}),
});
