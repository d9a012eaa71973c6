import type { ComponentState } from '../contract/control-plane.ts';
import type { MachineRef } from '../contract/machine.ts';
import type { MachineCertificate } from '../contract/ports/host.ts';
import type { StepContext } from '../contract/step.ts';
import type { Duration, Instant } from '../contract/time.ts';
import { authorityOf, type CertifiedComponent, componentsOf, keeperOf } from './kubeadm-certificates.ts';
import { manifestOf } from './paths.ts';

/** The certificates of one master: in its files, and in the processes that read them. */
export interface MasterCertificates {
  readonly files: readonly MachineCertificate[];
  /** Only those that have a manifest: with etcd apart, a master runs none. */
  readonly components: readonly (CertifiedComponent & { readonly state: ComponentState })[];
}

/** Looks at a master's certificates from all sides; reads no private key. */
export async function lookAtCertificates(
  context: StepContext,
  machine: MachineRef,
  apiPort: number,
): Promise<MasterCertificates> {
  const known = componentsOf(apiPort);
  const manifests = await context.file.exist(
    machine,
    known.map(({ name }) => manifestOf(name)),
  );
  const there = known.filter(({ name }) => manifests.has(manifestOf(name)));
  const [files, states] = await Promise.all([
    context.host.certificates(machine),
    context.host.components(machine, there),
  ]);
  return {
    files,
    components: there.flatMap((component) => {
      const state = states.find(({ name }) => name === component.name);
      return state === undefined ? [] : [{ ...component, state }];
    }),
  };
}

const isAfter = (one: Instant, other: Instant): boolean => Date.parse(one) > Date.parse(other);

/** Of the certificates kubeadm renews, those that end too early, the first to end first. */
export const endingBy = ({ files }: MasterCertificates, endsAfter: Instant): readonly MachineCertificate[] =>
  files
    .filter(({ name, notAfter }) => keeperOf(name) === 'kubeadm' && !isAfter(notAfter, endsAfter))
    .sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));

/** Authorities that end too early themselves: nothing that they sign is good for longer. */
export function endingAuthorities(
  { files }: MasterCertificates,
  endsAfter: Instant,
): readonly MachineCertificate[] {
  const signing = new Set(
    files.filter(({ name }) => keeperOf(name) === 'kubeadm').map(({ name }) => authorityOf(name)),
  );
  return files.filter(({ name, notAfter }) => signing.has(name) && !isAfter(notAfter, endsAfter));
}

/** Certificates that a component needs and that have no file: `kubeadm certs renew` leaves those out. */
export const missingFiles = ({ files, components }: MasterCertificates): readonly string[] =>
  components
    .flatMap((component) => component.certificates)
    .filter((name) => !files.some((file) => file.name === name));

/**
 * How much longer a certificate must last that a component made for itself when it started. It is made for a year less
 * an hour (client-go, util/cert: GenerateSelfSignedCertKey), so it can end before renewed ones, and a restart is no cure.
 */
const ownMustLast: Duration = 30 * 24 * 3_600_000;

/**
 * Why a running component still works with what its files held before, or with a certificate that ends too early;
 * undefined when it does not. Etcd and the API server take up most renewed files by themselves, kubeconfigs nobody does
 * (kubeadm#2409): a process that is older than its files is never trusted to.
 */
export function whyOutdated(
  { state, shows, name }: MasterCertificates['components'][number],
  files: MasterCertificates['files'],
  { endsAfter, now }: { readonly endsAfter: Instant; readonly now: Instant },
): string | undefined {
  const [first] = state.outdated;
  if (first !== undefined) return `${name} runs since before ${first} was renewed`;
  if (state.served === undefined) return undefined;
  const { fingerprint, notAfter } = state.served;
  const file = files.find((each) => each.name === shows);
  if (file !== undefined && file.fingerprint !== fingerprint)
    return `${name} shows another certificate than ${file.name} on its port`;
  const least = new Date(Date.parse(now) + ownMustLast).toISOString();
  if (isAfter(notAfter, shows === undefined ? least : endsAfter)) return undefined;
  return `${name} shows a certificate that ends on ${notAfter}`;
}
