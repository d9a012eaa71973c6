import { createHash } from 'node:crypto';
import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import { trustedCertificates } from '../contract/secrets.ts';
import type { StepContext } from '../contract/step.ts';
import { isOfAnother, knownAuthorities, strayKubeconfigs } from './authority-trust.ts';
import { paths } from './paths.ts';

/** What a kubelet reads of the authorities when it starts. */
const fileOf = (certificates: string): FileContent => ({
  path: `${paths.pki}/ca.crt`,
  content: certificates,
  mode: 0o644,
});

/** Left when the kubelet was started with them: a crash between files and start is seen by its absence. */
const markOf = (certificates: string): FileContent => ({
  path: `${paths.applied}/kubelet-authorities`,
  content: `${createHash('sha256').update(certificates).digest('hex')}\n`,
  mode: 0o600,
});

/** Where the kubelet keeps what it is given by the cluster, by the certificate's name. */
export const kubeletCertificatePaths: Readonly<Record<string, string>> = {
  'kubelet/client': paths.kubeletClient,
  'kubelet/serving': paths.kubeletServing,
};

/** What of a machine's kubelet does not follow the cluster's keys. */
export interface KubeletLag {
  /** Files that speak of other authorities, as they should be. */
  readonly files: readonly FileContent[];
  /** Names of its certificates that another authority has signed. */
  readonly certificates: readonly string[];
  /** The mark, where the kubelet was not started with these authorities yet. */
  readonly mark?: FileContent;
}

/** Looks at the files of a kubelet, and at who signed its certificates. */
export async function kubeletLag(context: StepContext, machine: MachineRef): Promise<KubeletLag> {
  const keys = await context.secrets.clusterKeys();
  const trusted = trustedCertificates(keys.kubernetes);
  const file = fileOf(trusted);
  const mark = markOf(trusted);
  const [differing, kubeconfigs, certificates] = await Promise.all([
    context.file.differ(machine, [file, mark]),
    strayKubeconfigs(context, machine, [paths.kubeletKubeconfig]),
    context.host.certificates(machine, knownAuthorities(keys)),
  ]);
  const differs = ({ path }: FileContent): boolean => differing.some((other) => other.path === path);
  return {
    files: [...(differs(file) ? [file] : []), ...kubeconfigs],
    certificates: certificates
      .filter((one) => one.name in kubeletCertificatePaths && isOfAnother(keys, one))
      .map(({ name }) => name),
    ...(differs(mark) ? { mark } : {}),
  };
}
