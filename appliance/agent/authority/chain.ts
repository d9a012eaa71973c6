import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';

/** Certificates as they were given: the authority's own first, then whoever signed it, and so on. */
export type Chain = readonly [X509Certificate, ...X509Certificate[]];

/**
 * How long an authority must last: what kubeadm signs lasts a year (cmd/kubeadm/app/constants: CertificateValidity), and
 * nothing is believed for longer than its authority.
 */
const mustLast: Duration = 365 * 24 * 3_600_000;

const nameConstraints = '2.5.29.30';
const anyUsage = '2.5.29.37.0';
const neededUsages: readonly string[] = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];

/** Reads PEM blocks. @throws UserProblem PKI-010 */
export function readChain(pem: string, what: string): Chain {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return [first, ...others];
  } catch {
    // Said below: what OpenSSL says of it names nothing that the user wrote.
  }
  throw new UserProblem('PKI-010', `There is no certificate in PEM in ${what}.`, {
    remedy:
      'Give the certificate of the authority first, then those that signed it, each between BEGIN and END.',
  });
}

/** The same as PEM, one block after another. */
export const printChain = (chain: readonly X509Certificate[]): string =>
  chain.map((certificate) => certificate.toString()).join('');

/** Common name of a certificate's subject, or all of it. */
const nameOf = ({ subject }: X509Certificate): string =>
  /^CN=(.+)$/mu.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');

/**
 * Checks that an authority may sign the three authorities of a cluster, so that nothing is made that nobody would
 * believe. `below`: how many authorities will stand between it and the certificates of the cluster.
 * @throws UserProblem PKI-012 … PKI-015
 */
export function requireAuthority(chain: Chain, now: Instant, below: 0 | 1): void {
  for (const [index, certificate] of chain.entries()) {
    requireCertifying(certificate, below + index);
    requireTime(certificate, now);
    const issuer = chain[index + 1];
    if (issuer === undefined) continue;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw new UserProblem('PKI-015', `${nameOf(certificate)} was not signed by ${nameOf(issuer)}.`, {
        value: nameOf(issuer),
        remedy: 'Give each certificate followed by the one that signed it, up to the root.',
      });
  }
}

/** basicConstraints, keyUsage and what narrows an authority (RFC 5280, 4.2.1). */
function requireCertifying(certificate: X509Certificate, below: number): void {
  const name = nameOf(certificate);
  const read = new x509.X509Certificate(certificate.raw);
  const basic = read.getExtension(x509.BasicConstraintsExtension);
  const usages = read.getExtension(x509.KeyUsagesExtension)?.usages;
  if (basic?.ca !== true)
    throw new UserProblem(
      'PKI-012',
      `${name} is no certificate authority (basicConstraints is not CA:TRUE).`,
      {
        remedy: 'Give the certificate of an authority, not of a server or a person.',
      },
    );
  if (usages !== undefined && (usages & x509.KeyUsageFlags.keyCertSign) === 0)
    throw new UserProblem('PKI-012', `${name} may not sign certificates (keyUsage has no keyCertSign).`, {
      remedy: 'Give an authority whose key usage lets it sign certificates.',
    });
  const { pathLength } = basic;
  if (pathLength !== undefined && pathLength < below)
    throw new UserProblem(
      'PKI-013',
      `${name} allows ${pathLength} authorities below it (pathlen:${pathLength}); the cluster needs ${below}.`,
      {
        remedy:
          'Give an authority that may sign another below itself: the cluster has three of its own, so that who is let in by one is not let in by all.',
      },
    );
  if (read.getExtension(nameConstraints) !== null)
    throw new UserProblem('PKI-012', `${name} may only sign for certain names (nameConstraints).`, {
      remedy: 'Give an authority without name constraints: nodes and etcd have names of their own.',
    });
  const extended = read.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String);
  const isAny = extended === undefined || extended.includes(anyUsage);
  if (!isAny && !neededUsages.every((usage) => extended.includes(usage)))
    throw new UserProblem(
      'PKI-012',
      `${name} may not sign for both servers and clients (extendedKeyUsage).`,
      {
        remedy: 'Give an authority whose extended key usage names serverAuth and clientAuth, or none at all.',
      },
    );
}

function requireTime(certificate: X509Certificate, now: Instant): void {
  const name = nameOf(certificate);
  const { validFromDate, validToDate } = certificate;
  if (validFromDate.getTime() > Date.parse(now))
    throw new UserProblem('PKI-014', `${name} is not valid before ${validFromDate.toISOString()}.`, {
      remedy: 'Check the clocks, or wait until then.',
    });
  if (validToDate.getTime() - Date.parse(now) >= mustLast) return;
  throw new UserProblem('PKI-014', `${name} ends on ${validToDate.toISOString().slice(0, 10)}.`, {
    value: validToDate.toISOString(),
    remedy:
      'Give an authority that lasts a year at least: that is how long the certificates of a cluster last, and none is believed for longer than its authority.',
  });
}
