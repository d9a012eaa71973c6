import 'reflect-metadata'; // @peculiar/x509 needs it first
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { mintBreakGlass, mintClient } from '../../../appliance/agent/pki.ts';
import { fingerprintOf } from '../../../provisioners/contract/host-key.ts';

/** An authority as other tools make it: kubeadm's own are RSA, its key in PKCS#1. */
async function authority(kind: 'rsa' | 'ec', type: 'pkcs1' | 'pkcs8' | 'sec1') {
  const keys =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  const algorithm =
    kind === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-256' };
  const der = keys.privateKey.export({ format: 'der', type: 'pkcs8' });
  const spki = keys.publicKey.export({ format: 'der', type: 'spki' });
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=kubernetes',
    keys: {
      privateKey: await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  });
  const key = keys.privateKey.export({ format: 'pem', type } as never).toString();
  return { certificate: certificate.toString('pem'), key };
}

describe('authorities of clusters that are adopted', () => {
  test.each([
    ['rsa', 'pkcs1'],
    ['rsa', 'pkcs8'],
    ['ec', 'sec1'],
  ] as const)('%s keys in %s sign for machines and people', async (kind, type) => {
    const pair = await authority(kind, type);
    const made = await mintClient(pair, { commonName: 'remuda-agent', organizations: ['a'], seconds: 600 });
    const certificate = new X509Certificate(made.certificate);
    expect(certificate.verify(createPublicKey(pair.certificate))).toBe(true);
    expect(certificate.subject).toContain('CN=remuda-agent');
  });

  test('what is handed over at an ejection lives for its days, and nothing else longer than an hour (DESIGN §6)', async () => {
    const pair = await authority('ec', 'pkcs8');
    const hours = ({ notAfter }: { readonly notAfter: string }): number =>
      Math.round((Date.parse(notAfter) - Date.now()) / 3_600_000);
    const given = await mintBreakGlass(pair, { commonName: 'demo-admin', days: 365 });
    expect(hours(given)).toBe(365 * 24);
    expect(new X509Certificate(given.certificate).subject).toContain('O=system:masters');
    const asked = { commonName: 'someone', organizations: [], seconds: 365 * 86_400 };
    expect(hours(await mintClient(pair, asked))).toBe(1);
  });

  test('a fingerprint is what ssh-keygen prints', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
    expect(fingerprintOf(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  });
});
