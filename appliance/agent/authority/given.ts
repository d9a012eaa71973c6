import 'reflect-metadata';
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import { type Chain, printChain, readChain, requireAuthority } from './chain.ts';
import type { AuthoritySigner } from './signer.ts';

/** Certificates begin a little earlier than now, for clocks that are behind. */
const clockTolerance = 5 * 60_000;

const hashOfCurve: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

/** How a key signs, in Web Crypto's words; undefined for kinds that kubeadm and Go's TLS do not both take. */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048)
    return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curve = hashOfCurve[asymmetricKeyDetails?.namedCurve ?? ''];
  return asymmetricKeyType === 'ec' && curve !== undefined ? { name: 'ECDSA', ...curve } : undefined;
}

function readKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UserProblem('PKI-010', `There is no private key in PEM in ${what}, or it has a passphrase.`, {
      remedy: 'Give the key without a passphrase: openssl pkey -in KEY. It is sealed before it is kept.',
    });
  }
}

/**
 * An intermediate authority that somebody gave. Everything about it is checked before it signs anything.
 * @throws UserProblem PKI-010 … PKI-015
 */
export function givenSigner(
  { certificate, key }: { readonly certificate: string; readonly key: string },
  now: Instant,
): AuthoritySigner {
  const chain = readChain(certificate, 'tls.crt');
  const own = readKey(key, 'tls.key');
  const [authority] = chain;
  if (!authority.checkPrivateKey(own))
    throw new UserProblem(
      'PKI-011',
      'The private key in tls.key is not that of the first certificate in tls.crt.',
      {
        remedy: 'Give the key that belongs to the authority, and its certificate first.',
      },
    );
  requireAuthority(chain, now, 1);
  const signingAlgorithm = algorithmOf(own);
  if (signingAlgorithm === undefined)
    throw new UserProblem('PKI-011', 'The key of the authority is of a kind or size that is not accepted.', {
      remedy: 'Use RSA of at least 2048 bits, or ECDSA P-256, P-384 or P-521.',
    });
  return { sign: ({ request, commonName, notAfter }) => signWith(request, commonName, notAfter) };

  async function signWith(pem: string, commonName: string, wanted: Date): Promise<Chain> {
    const request = new x509.Pkcs10CertificateRequest(pem);
    const issuer = new x509.X509Certificate(authority.raw);
    const signed = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [commonName] }],
      issuer: issuer.subjectName,
      publicKey: request.publicKey,
      signingKey: own.toCryptoKey(signingAlgorithm ?? '', false, ['sign']) as CryptoKey,
      signingAlgorithm: signingAlgorithm ?? { name: '' },
      notBefore: new Date(Math.max(Date.parse(now) - clockTolerance, authority.validFromDate.getTime())),
      notAfter: new Date(Math.min(wanted.getTime(), authority.validToDate.getTime())),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature |
            x509.KeyUsageFlags.keyEncipherment |
            x509.KeyUsageFlags.keyCertSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
        await keyIdentifierOf(issuer),
      ],
    });
    return readChain(`${signed.toString('pem')}\n${printChain(chain)}`, 'what was signed');
  }
}

/** RFC 5280, 4.2.1.1: the identifier that the authority has, where it has one; it may be any. */
async function keyIdentifierOf(issuer: x509.X509Certificate): Promise<x509.AuthorityKeyIdentifierExtension> {
  const own = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return own === undefined
    ? x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
    : new x509.AuthorityKeyIdentifierExtension(own);
}

/** RFC 5280, 4.1.2.2: positive and at most 20 bytes. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}
