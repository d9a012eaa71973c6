import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { MachineDeclaration } from '../contract/preflight.ts';
import { type ClusterKeys, trustedCertificates } from '../contract/secrets.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { discoveryConfig, joinConfig, patchFiles } from './kubeadm-config.ts';
import { paths } from './paths.ts';
import type { KubernetesMinor } from './versions.ts';

/** The files of a join: kubeadm's configuration, discovery, and the escape hatch's patches. */
export function joinFiles(input: {
  readonly minor: KubernetesMinor;
  readonly settings: ClusterSettings;
  readonly machine: MachineRef;
  readonly declared: MachineDeclaration;
  readonly keys: ClusterKeys;
  readonly isMaster: boolean;
}): FileContent[] {
  const { settings, keys } = input;
  const { bootstrapToken } = keys;
  const discovery = discoveryConfig(settings.endpoint, trustedCertificates(keys.kubernetes), bootstrapToken);
  return [
    { path: paths.kubeadmConfig, content: joinConfig({ ...input, bootstrapToken }), mode: 0o600 },
    { path: paths.discovery, content: discovery, mode: 0o600 },
    ...patchFiles(settings),
  ];
}
