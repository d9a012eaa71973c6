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

const apiVersion = 'kubeadm.k8s.io/v1beta3';

/**
 * kubeadm.k8s.io/v1beta3, for minors from 1.22 to 1.30: flags still a map; patches have a field
 * (https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta3/).
 */
const nodeRegistration = (input: KubeadmInput): object => ({
  name: input.machine.name,
  criSocket: input.minor.criSocket,
  imagePullPolicy: 'IfNotPresent',
  kubeletExtraArgs: componentArguments(input).kubelet,
});

const patches = ({ settings }: KubeadmInput): object =>
  settings.patches.length === 0 ? {} : { patches: { directory: paths.patches } };

export const initConfiguration = (input: KubeadmInput): object => ({
  apiVersion,
  kind: 'InitConfiguration',
  bootstrapTokens: bootstrapTokens(input),
  localAPIEndpoint: localEndpoint(input),
  nodeRegistration: nodeRegistration(input),
  ...patches(input),
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
  ...patches(input),
});
