import { dump } from 'js-yaml';
import type { MachineDeclaration } from '../contract/preflight.ts';
import { kubeletSettings } from './hardening.ts';
import type { ConfiguredService } from './configured-service.ts';
import { paths } from './paths.ts';
import type { KubernetesMinor } from './versions.ts';

/**
 * A kubelet that belongs to no cluster: it runs the static pods of its folder and answers on its own machine only
 * (https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/setup-ha-etcd-with-kubeadm/). Nobody may speak
 * to it: there is no API server that it could ask who somebody is.
 */
function configuration(minor: KubernetesMinor, declared: MachineDeclaration): object {
  const { readOnlyPort, makeIPTablesUtilChains, protectKernelDefaults, tlsCipherSuites, tlsMinVersion } =
    kubeletSettings;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address: '127.0.0.1',
    readOnlyPort,
    makeIPTablesUtilChains,
    protectKernelDefaults,
    tlsCipherSuites,
    tlsMinVersion,
    staticPodPath: '/etc/kubernetes/manifests',
    cgroupDriver: declared.cgroupDriver ?? 'systemd',
    failSwapOn: declared.ignorePreflightErrors?.includes('Swap') !== true,
    ...(takesRuntimeInFile(minor) ? { containerRuntimeEndpoint: minor.criSocket } : {}),
  };
}

/** KubeletConfiguration names the runtime from 1.27 on; before, flags do (the changelog of 1.27). */
const takesRuntimeInFile = ({ kubeadmApi }: KubernetesMinor): boolean => kubeadmApi === 'v1beta4';

const flagsOf = (minor: KubernetesMinor): string =>
  takesRuntimeInFile(minor)
    ? ''
    : ` --container-runtime=remote --container-runtime-endpoint=${minor.criSocket}`;

/** The kubelet of a machine on which etcd stands apart, with the files it is started from. */
export const etcdKubelet = (minor: KubernetesMinor, declared: MachineDeclaration): ConfiguredService => ({
  name: 'etcd-kubelet',
  files: [
    { path: paths.kubeletConfig, content: dump(configuration(minor, declared)), mode: 0o644 },
    {
      path: paths.aloneDropIn,
      content: `[Service]\nExecStart=\nExecStart=/usr/local/bin/kubelet --config=${paths.kubeletConfig}${flagsOf(minor)}\n`,
      mode: 0o644,
    },
  ],
  units: ['kubelet.service'],
  mustRun: true,
});
