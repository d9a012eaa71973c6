import 'reflect-metadata'; // @peculiar/x509 resolves its algorithms through tsyringe, which needs it first
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  randomInt,
  X509Certificate,
} from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import {
  type ClusterKeys,
  type ClusterPublicKeys,
  trustedCertificates,
} from '../../provisioners/contract/secrets.ts';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { signerOf } from './signer.ts';
import { printChain, requireAuthority } from './authority/chain.ts';
import type { AuthoritySigner } from './authority/signer.ts';

/**
 * ECDSA P-256 for the CAs: kubeadm reads RSA and ECDSA authorities from PKCS#8 (pki_helpers.go, 1.20 as today), and
 * drawing three takes milliseconds. The service account pair must be RSA: kubeadm 1.20 reads no other.
 */
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

const day = 24 * 60 * 60_000;
/** Ten years, as kubeadm's own authorities (kubeadmconstants.CACertificateValidity). */
const authorityLifetime = 3650 * day;
/** Certificates begin a little earlier than now, for clocks that are behind. */
const clockTolerance = 5 * 60_000;
/** DESIGN §6: user credentials live at most an hour. */
const longestCredential = 3600;

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Draws everything secret that a cluster is born with. Its authorities sign themselves, unless somebody else does: then
 * each has a key of its own all the same, which nobody but the cluster ever has.
 */
export async function drawClusterKeys(cluster: string, signer?: AuthoritySigner): Promise<ClusterKeys> {
  const authorities = await drawAuthorities(cluster, signer);
  const account = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const ssh = generateSshKey(`remuda ${cluster}`);
  return {
    ...authorities,
    serviceAccount: { publicKey: account.publicKey, privateKey: account.privateKey },
    encryptionKey: randomBytes(32).toString('base64'),
    bootstrapToken: drawBootstrapToken(),
    vrrpPassword: drawPassword(),
    sshPrivateKey: ssh.private,
    sshPublicKey: ssh.public,
  };
}

/** The three authorities of a cluster, drawn anew. @throws Problem of whoever signs */
export async function drawAuthorities(
  cluster: string,
  signer?: AuthoritySigner,
): Promise<Pick<ClusterKeys, 'kubernetes' | 'etcd' | 'frontProxy'>> {
  // Common names as kubeadm's (certs/list.go), which tools recognise; below somebody else's also the cluster's.
  const draw = (name: string): Promise<KeyPair & { chain?: string }> =>
    signer === undefined ? drawAuthority(name) : drawSigned(`${name} of ${cluster}`, signer);
  const kubernetes = await draw('kubernetes');
  const etcd = await draw('etcd-ca');
  const frontProxy = await draw('front-proxy-ca');
  return { kubernetes, etcd, frontProxy };
}

/** A token with which machines join, as kubeadm writes it. */
export const drawBootstrapToken = (): string => `${randomText(6)}.${randomText(16)}`;

/** A password of keepalived's, which has room for 8 characters. */
export const drawPassword = (): string => randomText(8);

/** The half of the keys that may stand in a plan. */
export function publicHalf(keys: ClusterKeys): ClusterPublicKeys {
  const { kubernetes } = keys;
  const since = new Date().toISOString();
  return {
    caHash: `sha256:${publicKeyHash(kubernetes.certificate)}`,
    caCertificate: trustedCertificates(kubernetes),
    sshPublicKey: keys.sshPublicKey,
    ...(kubernetes.incoming === undefined ? {} : { rotation: { stage: 'trust', since } }),
    ...(kubernetes.outgoing === undefined ? {} : { rotation: { stage: 'reissue', since } }),
  };
}

/** sha256 of a certificate's SubjectPublicKeyInfo, hexadecimal: what kubeadm and our tokens pin. */
export function publicKeyHash(certificate: string): string {
  const { publicKey } = new X509Certificate(certificate);
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Makes a client certificate for the moment. `seconds` is at most an hour. */
export async function mintClient(
  authority: KeyPair,
  who: { readonly commonName: string; readonly organizations: readonly string[]; readonly seconds: number },
): Promise<KeyPair & { readonly notAfter: Instant }> {
  const keys = await drawKeys();
  const signed = await signClient(authority, keys.publicKey, who);
  return { ...signed, key: await exportKey(keys.privateKey) };
}

/**
 * Makes a client certificate of `system:masters`, which no RBAC takes back, for whoever keeps a cluster without Remuda.
 */
export async function mintBreakGlass(
  authority: KeyPair,
  who: { readonly commonName: string; readonly days: number },
): Promise<KeyPair & { readonly notAfter: Instant }> {
  const keys = await drawKeys();
  const wish = { commonName: who.commonName, organizations: ['system:masters'], seconds: who.days * 86_400 };
  const signed = await signClient(authority, keys.publicKey, wish, wish.seconds);
  return { ...signed, key: await exportKey(keys.privateKey) };
}

/**
 * Signs a person's certificate request for the cluster's API. Nothing of the request but its key is believed.
 * @throws UserProblem PKI-001 (no valid request), PKI-002 (weak key), PKI-003 (a group that is break-glass only).
 */
export async function signCredential(
  keys: ClusterKeys,
  wish: {
    readonly user: string;
    readonly groups: readonly string[];
    readonly request: string;
    readonly seconds: number;
  },
): Promise<{ readonly certificate: string; readonly notAfter: Instant }> {
  const forbidden = wish.groups.find((group) => group.startsWith('system:'));
  if (forbidden !== undefined)
    throw new UserProblem('PKI-003', `No credential is issued for the group ${forbidden}.`, {
      remedy: 'Use a group that a role binding of the cluster grants its rights.',
    });
  if (wish.user.startsWith('system:'))
    throw new UserProblem('PKI-003', `No credential is issued for the user ${wish.user}.`, {
      remedy: 'Names that begin with system: belong to Kubernetes itself.',
    });
  const publicKey = await requestKey(wish.request);
  return signClient(keys.kubernetes, publicKey, {
    commonName: wish.user,
    organizations: wish.groups,
    seconds: wish.seconds,
  });
}

/** A self-signed server certificate for one IP address, good for ten years: whoever is told of it believes only it. */
export async function drawServer(address: string): Promise<KeyPair> {
  const keys = await drawKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=remuda-agent',
    keys,
    signingAlgorithm,
    notBefore: new Date(Date.now() - clockTolerance),
    notAfter: new Date(Date.now() + authorityLifetime),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

/** A fresh key and a PKCS#10 request for it, both PEM: what an agent enrols and renews with. */
export async function requestCertificate(): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await drawKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=agent',
    keys,
    signingAlgorithm,
  });
  return { request: request.toString('pem'), key: await exportKey(keys.privateKey) };
}

async function requestKey(pem: string): Promise<x509.PublicKey> {
  const request = await verifiedRequest(pem);
  if (request === undefined)
    throw new UserProblem(
      'PKI-001',
      'The certificate request is not a PKCS#10 request signed by its own key.',
      {
        remedy: 'Let the remuda command make it.',
      },
    );
  const { algorithm } = request.publicKey;
  const named = algorithm as { readonly namedCurve?: string; readonly modulusLength?: number };
  const isStrong =
    (algorithm.name === 'ECDSA' && ['P-256', 'P-384'].includes(named.namedCurve ?? '')) ||
    algorithm.name === 'Ed25519' ||
    (algorithm.name.startsWith('RSA') && (named.modulusLength ?? 0) >= 2048);
  if (!isStrong)
    throw new UserProblem('PKI-002', `A key of type ${algorithm.name} is not accepted for credentials.`, {
      remedy: 'Use ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits.',
    });
  return request.publicKey;
}

async function verifiedRequest(pem: string): Promise<x509.Pkcs10CertificateRequest | undefined> {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    return (await request.verify()) ? request : undefined;
  } catch {
    return undefined;
  }
}

/** An authority that somebody else signs; what comes back is judged before anything is built on it. */
async function drawSigned(commonName: string, signer: AuthoritySigner): Promise<KeyPair & { chain: string }> {
  const keys = await drawKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm,
  });
  const notAfter = new Date(Date.now() + authorityLifetime);
  const chain = await signer.sign({ request: request.toString('pem'), commonName, notAfter });
  const key = await exportKey(keys.privateKey);
  const [certificate, ...above] = chain;
  requireAuthority(chain, new Date().toISOString(), 0);
  if (certificate.checkPrivateKey(createPrivateKey(key)) && above.length > 0)
    return { certificate: certificate.toString(), key, chain: printChain(above) };
  throw new UserProblem('PKI-017', `What was signed for ${commonName} is not what was asked for.`, {
    remedy:
      'Look into the log of the server that signs: it must sign the key of the request, and say who it is.',
  });
}

async function drawAuthority(name: string): Promise<KeyPair> {
  const keys = await drawKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm,
    notBefore: new Date(Date.now() - clockTolerance),
    notAfter: new Date(Date.now() + authorityLifetime),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature |
          x509.KeyUsageFlags.keyEncipherment |
          x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

async function signClient(
  authority: KeyPair,
  publicKey: x509.PublicKeyType,
  who: { readonly commonName: string; readonly organizations: readonly string[]; readonly seconds: number },
  longest = longestCredential,
): Promise<{ readonly certificate: string; readonly notAfter: Instant }> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const notAfter = new Date(Date.now() + Math.min(who.seconds, longest) * 1000);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [...who.organizations.map((organization) => ({ O: [organization] })), { CN: [who.commonName] }],
    issuer: issuer.subjectName,
    publicKey,
    ...(await signerOf(authority.key)),
    notBefore: new Date(Date.now() - clockTolerance),
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  // X.509 knows whole seconds.
  notAfter.setMilliseconds(0);
  return { certificate: certificate.toString('pem'), notAfter: notAfter.toISOString() };
}

function drawKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Lower-case letters and digits, what bootstrap tokens are made of. */
function randomText(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
