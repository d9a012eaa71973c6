import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { MachineCertificate } from '../contract/ports/host.ts';
import { type ClusterKeys, trustedCertificates } from '../contract/secrets.ts';
import type { StepContext } from '../contract/step.ts';
import { authorityOf, keeperOf } from './kubeadm-certificates.ts';
import { manifestOf, paths } from './paths.ts';

/**
 * Kubeconfigs that kubeadm makes on a master. It writes into each the first certificate of ca.crt alone
 * (cmd/kubeadm/app/phases/kubeconfig: EncodeCertPEM of one), so what else is believed is written by us.
 */
export const masterKubeconfigs: readonly string[] = [
  'admin.conf',
  // From 1.29 on.
  'super-admin.conf',
  'controller-manager.conf',
  'scheduler.conf',
].map((name) => `/etc/kubernetes/${name}`);

const authorityData = /^(\s*certificate-authority-data:[ \t]*)(\S+)[ \t]*$/gmu;

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The one that signs, of each authority, and whoever else is believed: PEM, as certificates' signers are asked for. */
export const knownAuthorities = (keys: ClusterKeys): string[] =>
  [keys.kubernetes, keys.etcd, keys.frontProxy].flatMap(({ certificate, incoming, outgoing }) =>
    [{ certificate }, incoming, outgoing].flatMap((one) => one?.certificate ?? []),
  );

/** The authority that is to sign a certificate of this name, PEM. */
export function signerFor(keys: ClusterKeys, name: string): string {
  const authority = authorityOf(name);
  if (authority === 'etcd/ca') return keys.etcd.certificate;
  return (authority === 'front-proxy-ca' ? keys.frontProxy : keys.kubernetes).certificate;
}

/** Whether a certificate is to be made anew because another authority has signed it than the one that signs now. */
export const isOfAnother = (keys: ClusterKeys, { name, signer }: MachineCertificate): boolean =>
  ['kubeadm', 'kubelet'].includes(keeperOf(name)) && signer !== signerFor(keys, name);

const blocks = (pem: string): string[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu) ?? [pem]).map((one) =>
    one.trim(),
  );

/** Names a set of authorities by their certificates (PEM), whichever of them stands first. */
export const digestOfCertificates = (pem: string): string =>
  createHash('sha256').update(blocks(pem).toSorted().join('\n')).digest('hex');

/** Kubeconfigs among the paths that are there and believe others than the cluster's keys say, as they should be. */
export async function strayKubeconfigs(
  context: StepContext,
  machine: MachineRef,
  among: readonly string[],
): Promise<FileContent[]> {
  const { kubernetes } = await context.secrets.clusterKeys();
  const trusted = trustedCertificates(kubernetes);
  const wanted = digestOfCertificates(trusted);
  const found = await Promise.all(
    among.map(async (path) => {
      const text = await context.file.read(machine, path);
      // Texts of one certificate differ by white space: kubeadm prints it anew.
      const content = text?.replace(authorityData, (line, head: string, data: string) =>
        digestOfCertificates(Buffer.from(data, 'base64').toString()) === wanted
          ? line
          : head + encode(trusted),
      );
      return content === undefined || content === text ? [] : [{ path, content, mode: 0o600 }];
    }),
  );
  return found.flat();
}

/**
 * Lets the kubeconfigs of a master believe all that the keys say, where kubeadm wrote but one: after every renewal.
 * Whoever reads them is restarted afterwards, by the times of the files.
 */
export async function widenKubeconfigs(context: StepContext, machine: MachineRef): Promise<void> {
  const stray = await strayKubeconfigs(context, machine, masterKubeconfigs);
  if (stray.length > 0) await context.file.write(machine, stray);
}

const signingFlag = /--cluster-signing-cert-file=[^\s"']+/u;

/** The flag with which a controller-manager signs by one certificate, whatever else ca.crt holds. */
export const ownSigningFlag = `--cluster-signing-cert-file=${paths.signingCertificate}`;

/**
 * The manifest of a master's controller-manager as it should be, where it is another: masters that were made before signed
 * with ca.crt itself. Undefined when nothing is to be changed.
 */
export async function straySigner(
  context: StepContext,
  machine: MachineRef,
): Promise<FileContent | undefined> {
  const path = manifestOf('kube-controller-manager');
  const text = await context.file.read(machine, path);
  const content = text?.replace(signingFlag, ownSigningFlag);
  return content === undefined || content === text ? undefined : { path, content, mode: 0o600 };
}

/** Lays down the certificate that the controller-manager signs with, where it is not there yet. */
export async function layOutSigner(context: StepContext, machine: MachineRef): Promise<void> {
  const { kubernetes } = await context.secrets.clusterKeys();
  const file = { path: paths.signingCertificate, content: kubernetes.certificate, mode: 0o644 };
  if ((await context.file.differ(machine, [file])).length > 0) await context.file.write(machine, [file]);
}

/** Whether a file of certificates holds all that are believed. */
export const believesAll = (pem: string, { kubernetes }: Pick<ClusterKeys, 'kubernetes'>): boolean =>
  blocks(trustedCertificates(kubernetes)).every((one) => pem.includes(one));

/** Names the authorities that a cluster's keys say are believed. */
export const digestOfAuthorities = ({ kubernetes }: Pick<ClusterKeys, 'kubernetes'>): string =>
  digestOfCertificates(trustedCertificates(kubernetes));

/** Whether another authority is believed beside the one that signs. */
export const isRotating = ({ kubernetes }: Pick<ClusterKeys, 'kubernetes'>): boolean =>
  kubernetes.incoming !== undefined || kubernetes.outgoing !== undefined;

const markSchema = z.object({ authorities: z.string(), since: z.iso.datetime() });

/** The mark that a cluster bears when everybody in it can read which authorities are believed. */
export type AuthoritiesMark = z.infer<typeof markSchema>;

/** Reads the mark; undefined where there is none that can be read. */
export function readAuthoritiesMark(text: string | undefined): AuthoritiesMark | undefined {
  if (text === undefined) return undefined;
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
