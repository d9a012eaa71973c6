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

const apiVersion = 'kubeadm.k8s.io/v1beta4';

/** From v1beta4 on flags are a list, so that one may be given twice. */
const list = (args: Readonly<Record<string, string>>): object[] =>
  Object.entries(args).map(([name, value]) => ({ name, value }));

/**
 * kubeadm.k8s.io/v1beta4, for minors from 1.31 (https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/).
 */
const nodeRegistration = (input: KubeadmInput): object => ({
  name: input.machine.name,
  criSocket: input.minor.criSocket,
  imagePullPolicy: 'IfNotPresent',
  kubeletExtraArgs: list(componentArguments(input).kubelet),
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
      extraArgs: list(components.apiServer.args),
      extraVolumes: extraVolumes(components.apiServer),
    },
    controllerManager: { extraArgs: list(components.controllerManager) },
    scheduler: { extraArgs: list(components.scheduler) },
    etcd: etcdSection(input, { dataDir: '/var/lib/etcd', extraArgs: list(components.etcd) }),
    dns: { disabled: true },
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
