import type { ComponentState, ControlPlaneComponent } from '../contract/control-plane.ts';
import type { MachineRef } from '../contract/machine.ts';
import type { MachineCertificate } from '../contract/ports/host.ts';
import type { StepContext } from '../contract/step.ts';
import { knownAuthorities, ownSigningFlag } from './authority-trust.ts';
import { type CertifiedComponent, componentsOf } from './kubeadm-certificates.ts';
import { paths } from './paths.ts';

const inPki = (...names: readonly string[]): string[] => names.map((name) => `${paths.pki}/${name}`);

/** Files of authorities that each component reads when it starts, by the flags that kubeadm gives it. */
const authorityFiles: Readonly<Record<ControlPlaneComponent['name'], readonly string[]>> = {
  etcd: inPki('etcd/ca.crt'),
  'kube-apiserver': inPki('ca.crt', 'etcd/ca.crt', 'front-proxy-ca.crt'),
  'kube-controller-manager': [
    ...inPki('ca.crt', 'ca.key', 'front-proxy-ca.crt'),
    paths.signingCertificate,
    paths.authorityChain,
  ],
  'kube-scheduler': [],
};

/** The static pods of a master with the authorities that they read, in the order in which they are restarted. */
export const readersOf = (apiPort: number): readonly CertifiedComponent[] =>
  componentsOf(apiPort).map((component) => ({
    ...component,
    files: [...component.files, ...authorityFiles[component.name]],
    ...(component.name === 'kube-controller-manager' ? { argument: ownSigningFlag } : {}),
  }));

/** A master's certificates with who signed them, and the processes that read them and their authorities. */
export interface MasterReaders {
  readonly files: readonly MachineCertificate[];
  readonly components: readonly (CertifiedComponent & { readonly state: ComponentState })[];
}

/** Looks at a master from all sides. */
export async function lookAtReaders(
  context: StepContext,
  machine: MachineRef,
  apiPort: number,
): Promise<MasterReaders> {
  const readers = readersOf(apiPort);
  const keys = await context.secrets.clusterKeys();
  const [files, states] = await Promise.all([
    context.host.certificates(machine, knownAuthorities(keys)),
    context.host.components(machine, readers),
  ]);
  const components = readers.flatMap((reader) => {
    const state = states.find(({ name }) => name === reader.name);
    return state === undefined ? [] : [{ ...reader, state }];
  });
  return { files, components };
}

/** Why a component works with other authorities or certificates than its files hold; undefined when it does not. */
export function whyStale(
  { name, shows, state }: MasterReaders['components'][number],
  files: readonly MachineCertificate[],
): string | undefined {
  const [first] = state.outdated;
  if (first !== undefined) return `${name} runs since before ${first} was changed`;
  const own = files.find((file) => file.name === shows);
  if (state.served === undefined || own === undefined) return undefined;
  return own.fingerprint === state.served.fingerprint
    ? undefined
    : `${name} shows another certificate than ${own.name} on its port`;
}
