import 'reflect-metadata'; // @peculiar/x509 resolves its algorithms through tsyringe, which needs it first
import { createHash } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';

/** ECDSA P-256 with SHA-256: what every TLS stack of the last decade verifies. */
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** OIDs of RFC 5280: key purposes and the name constraints extension. */
export const serverPurpose = '1.3.6.1.5.5.7.3.1';
export const clientPurpose = '1.3.6.1.5.5.7.3.2';
const nameConstraintsExtension = '2.5.29.30';

/** What a certificate of ours is for: DNS names and IP addresses. */
export interface Names {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/** A fresh key pair, extractable so that it can be kept in a file. */
export function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

/** PKCS#8 PEM of a private key. */
export async function exportPrivateKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Reads back what {@link exportPrivateKey} wrote. */
export function importPrivateKey(pem: string): Promise<CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (!der) throw new Error('there is no PEM block in the private key file');
  return crypto.subtle.importKey('pkcs8', der, keyAlgorithm, true, ['sign']);
}

/** `sha256` of the SubjectPublicKeyInfo of a certificate, hexadecimal: what tokens carry as the CA's hash. */
export function publicKeyHash(certificatePem: string): string {
  return createHash('sha256')
    .update(Buffer.from(new x509.X509Certificate(certificatePem).publicKey.rawData))
    .digest('hex');
}

/**
 * The name constraints extension (RFC 5280 §4.2.1.10): whoever trusts this CA trusts it for these names and networks
 * and for nothing else on the internet.
 */
function nameConstraints(permitted: Names): x509.Extension {
  const subtrees = [
    ...permitted.dns.map((dNSName) => new GeneralName({ dNSName })),
    ...permitted.ip.map((iPAddress) => new GeneralName({ iPAddress })),
  ].map((base) => new GeneralSubtree({ base }));
  const value = AsnConvert.serialize(
    new NameConstraints({ permittedSubtrees: new GeneralSubtrees(subtrees) }),
  );
  return new x509.Extension(nameConstraintsExtension, true, value);
}

/** The subject alternative names of a server. */
export function alternativeNames(names: Names): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension([
    ...names.dns.map((value) => ({ type: 'dns' as const, value })),
    ...names.ip.map((value) => ({ type: 'ip' as const, value })),
  ]);
}

/** When and for whom a certificate speaks. */
export interface CertificateRequest {
  readonly subject: string;
  readonly publicKey: x509.PublicKeyType;
  readonly purpose: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly x509.Extension[];
}

/** Signs a leaf certificate. */
export async function signLeaf(
  issuer: { readonly certificate: string; readonly key: CryptoKey },
  request: CertificateRequest,
): Promise<string> {
  const authority = new x509.X509Certificate(issuer.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subject,
    issuer: authority.subjectName,
    publicKey: request.publicKey,
    signingKey: issuer.key,
    signingAlgorithm,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([request.purpose]),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ...request.extensions,
    ],
  });
  return certificate.toString('pem');
}

/** Signs a CA certificate with itself. Path length 0: it signs leaves only. */
export async function signAuthority(
  keys: CryptoKeyPair,
  name: string,
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  permitted: Names,
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      nameConstraints(permitted),
    ],
  });
  return certificate.toString('pem');
}

/**
 * Checks a PKCS#10 request's own signature and gives its public key.
 * @returns undefined when the text is no request or is not signed by its own key.
 */
export async function verifiedRequestKey(pem: string): Promise<x509.PublicKey | undefined> {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    return (await request.verify()) ? request.publicKey : undefined;
  } catch {
    return undefined;
  }
}

/** The names and networks a CA certificate is constrained to; networks as CIDR. */
export function permittedNames(certificatePem: string): Names {
  const extension = new x509.X509Certificate(certificatePem).getExtension(nameConstraintsExtension);
  if (!extension) return { dns: [], ip: [] };
  const bases = [...(AsnConvert.parse(extension.value, NameConstraints).permittedSubtrees ?? [])].map(
    (subtree) => subtree.base,
  );
  return {
    dns: bases.flatMap((base) => (base.dNSName === undefined ? [] : [base.dNSName])),
    ip: bases.flatMap((base) => (base.iPAddress === undefined ? [] : [base.iPAddress])),
  };
}
