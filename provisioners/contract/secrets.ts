import { z } from 'zod';
import type { Instant } from './time.ts';

/** Whoever signed an authority, then whoever signed that one, PEM; absent where it signed itself. */
const chainSchema = z.string().exactOptional();

/**
 * A certificate authority: certificate and PKCS#8 private key, both PEM. While it is rotated there is a second one that
 * is believed and signs nothing.
 */
const authoritySchema = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  chain: chainSchema,
  /** The next one: drawn and to be believed, and signs nothing yet. */
  incoming: z.strictObject({ certificate: z.string(), key: z.string(), chain: chainSchema }).exactOptional(),
  /** The one before: believed still, and signs nothing any more. Its key is forgotten. */
  outgoing: z.strictObject({ certificate: z.string(), chain: chainSchema }).exactOptional(),
});
export type Authority = z.infer<typeof authoritySchema>;

const inLines = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`);

/**
 * Certificates of an authority that are believed, PEM, the one that signs first: kubeadm takes the first of a file for
 * the one that belongs to the key beside it (cmd/kubeadm/app/util/pkiutil: TryLoadCertFromDisk). Where there is but one it
 * is given as it is kept.
 */
export function trustedCertificates({ certificate, incoming, outgoing }: Authority): string {
  const others = [incoming, outgoing].flatMap((one) => one?.certificate ?? []);
  return others.length === 0 ? certificate : [certificate, ...others].map(inLines).join('');
}

/** As {@link trustedCertificates}, each followed by whoever signed it; undefined where all signed themselves. */
export function trustedChains({ certificate, chain, incoming, outgoing }: Authority): string | undefined {
  const all = [{ certificate, chain }, incoming, outgoing].flatMap((one) => one ?? []);
  if (all.every((one) => one.chain === undefined)) return undefined;
  return all.map((one) => `${inLines(one.certificate)}${one.chain ?? ''}`).join('');
}

/**
 * Everything secret that one cluster is born with. Drawn by the agent once, when the cluster's first operation is
 * made, and sealed, so that a repeat of any step uses the same values. File names are kubeadm's
 * (https://kubernetes.io/docs/setup/best-practices/certificates/).
 */
export const clusterKeysSchema = z.strictObject({
  /** Cluster CA: /etc/kubernetes/pki/ca.{crt,key}. */
  kubernetes: authoritySchema,
  /** etcd CA: /etc/kubernetes/pki/etcd/ca.{crt,key}. */
  etcd: authoritySchema,
  /** Front proxy CA: /etc/kubernetes/pki/front-proxy-ca.{crt,key}. */
  frontProxy: authoritySchema,
  /** Service account key pair: sa.{pub,key}, PEM. */
  serviceAccount: z.strictObject({ publicKey: z.string(), privateKey: z.string() }),
  /** Key of the EncryptionConfiguration for Secrets in etcd: 32 bytes, base64. */
  encryptionKey: z.string(),
  /** Bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`. */
  bootstrapToken: z.string(),
  /** keepalived password, 8 characters. */
  vrrpPassword: z.string(),
  /** The cluster's own SSH user key (row: one user key per cluster). OpenSSH private key text. */
  sshPrivateKey: z.string(),
  /** The public half, one line. */
  sshPublicKey: z.string(),
});
export type ClusterKeys = z.infer<typeof clusterKeysSchema>;

/** What of the cluster's keys is public and may stand in a plan: digests, public keys. */
export interface ClusterPublicKeys {
  /** `sha256:<hex>` of the cluster CA's SubjectPublicKeyInfo, kubeadm's discovery hash. */
  readonly caHash: string;
  /** What is believed of the cluster's API, PEM: two certificates while the authorities are rotated. */
  readonly caCertificate: string;
  /** How far the rotation of the authorities has come; absent where one alone is believed. */
  readonly rotation?: KeyRotation;
  readonly sshPublicKey: string;
  /** Digest of {@link import('./authority.ts').AuthoritySource}; absent where the authorities signed themselves. */
  readonly authority?: string;
}

/** Stages of a rotation of the authorities, in their order; each is an operation of its own. */
export const rotationStages = ['trust', 'reissue', 'drop'] as const;
export type RotationStage = (typeof rotationStages)[number];

/** Where the keys of a cluster stand between two authorities. */
export interface KeyRotation {
  /** `trust`: the next authority is believed and signs nothing yet; `reissue`: it signs, and the one before is believed still. */
  readonly stage: Exclude<RotationStage, 'drop'>;
  /** Since when the keys are so, by the agent's clock. */
  readonly since: Instant;
}
