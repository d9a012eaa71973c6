import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { MachineCertificate } from '../contract/ports/host.ts';
import { trustedCertificates } from '../contract/secrets.ts';
import type { StepContext } from '../contract/step.ts';
import { discoveryConfig } from './kubeadm-config.ts';
import { paths } from './paths.ts';

/** The unit of the kubelet. */
export const kubeletUnit = 'kubelet.service';

/** Where the cluster's API is asked for. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The certificate with which a kubelet speaks to the API; undefined where there is none. */
export async function kubeletClient(
  context: StepContext,
  machine: MachineRef,
): Promise<(MachineCertificate & { readonly isOver: boolean }) | undefined> {
  const found = (await context.host.certificates(machine)).find(({ name }) => name === 'kubelet/client');
  return found && { ...found, isOver: Date.parse(found.notAfter) <= Date.parse(context.now()) };
}

/**
 * With what a kubelet asks for its first certificate. One whose certificate has run out does not even start without
 * (pkg/kubelet/certificate/bootstrap: LoadClientConfig); with it, it starts at once, runs its static pods, and asks when
 * the API is there (https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/).
 */
export async function bootstrapFile(context: StepContext, endpoint: Endpoint): Promise<FileContent> {
  const { kubernetes, bootstrapToken } = await context.secrets.clusterKeys();
  return {
    path: paths.bootstrapKubeconfig,
    content: discoveryConfig(endpoint, trustedCertificates(kubernetes), bootstrapToken),
    mode: 0o600,
  };
}
