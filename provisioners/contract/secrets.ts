import { z } from 'zod';

/** A certificate authority: certificate and PKCS#8 private key, both PEM. */
const authoritySchema = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  /** Whoever signed it, then whoever signed that one, PEM; absent where it signed itself. */
  chain: z.string().exactOptional(),
});

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
  readonly caCertificate: string;
  readonly sshPublicKey: string;
  /** Digest of {@link import('./authority.ts').AuthoritySource}; absent where the authorities signed themselves. */
  readonly authority?: string;
}
