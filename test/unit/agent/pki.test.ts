import 'reflect-metadata';
import { createPublicKey, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import ssh2 from 'ssh2';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { sealTo } from '../../../daemon/access/sealing.ts';
import {
  drawClusterKeys,
  mintClient,
  publicHalf,
  requestCertificate,
  signCredential,
} from '../../../appliance/agent/pki.ts';
import { drawIdentity, open, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { type ClusterKeys, clusterKeysSchema } from '../../../provisioners/contract/secrets.ts';

let keys: ClusterKeys;
beforeAll(async () => {
  keys = await drawClusterKeys('east');
});

describe('the keys a cluster is born with', () => {
  it('are whole, and no two draws are alike', async () => {
    expect(clusterKeysSchema.parse(keys)).toEqual(keys);
    const other = await drawClusterKeys('east');
    for (const name of ['encryptionKey', 'bootstrapToken', 'vrrpPassword', 'sshPrivateKey'] as const)
      expect(other[name]).not.toBe(keys[name]);
    expect(keys.bootstrapToken).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/u);
    expect(Buffer.from(keys.encryptionKey, 'base64')).toHaveLength(32);
  });

  it('never hold an SSH key that nobody can read, which ssh2 draws once in 256 times', async () => {
    const draw = ssh2.utils.generateKeyPairSync;
    const isSpoiled = ({ private: text }: { readonly private: string }): boolean =>
      ssh2.utils.parseKey(text) instanceof Error;
    let spoiled = draw('ed25519');
    while (!isSpoiled(spoiled)) spoiled = draw('ed25519');
    const drawing = vi.spyOn(ssh2.utils, 'generateKeyPairSync').mockReturnValueOnce(spoiled);
    try {
      const { sshPrivateKey } = await drawClusterKeys('west');
      expect(sshPrivateKey).not.toBe(spoiled.private);
      expect(ssh2.utils.parseKey(sshPrivateKey)).not.toBeInstanceOf(Error);
    } finally {
      drawing.mockRestore();
    }
  });

  it('have authorities that kubeadm takes: CA, PKCS#8, ten years', () => {
    for (const authority of [keys.kubernetes, keys.etcd, keys.frontProxy]) {
      const certificate = new X509Certificate(authority.certificate);
      expect(certificate.ca).toBe(true);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(authority.key).toMatch(/^-----BEGIN PRIVATE KEY-----/u);
    }
    expect(createPublicKey(keys.serviceAccount.publicKey).asymmetricKeyType).toBe('rsa');
  });

  it('show only their public half in a plan', () => {
    const half = JSON.stringify(publicHalf(keys));
    expect(half).toMatch(/sha256:[0-9a-f]{64}/u);
    expect(half).not.toContain('PRIVATE');
  });
});

describe('client certificates', () => {
  it('live an hour at most and chain to the authority', async () => {
    const made = await mintClient(keys.kubernetes, {
      commonName: 'remuda',
      organizations: ['system:masters'],
      seconds: 9e9,
    });
    const certificate = new X509Certificate(made.certificate);
    expect(certificate.checkIssued(new X509Certificate(keys.kubernetes.certificate))).toBe(true);
    expect(certificate.verify(new X509Certificate(keys.kubernetes.certificate).publicKey)).toBe(true);
    expect(Date.parse(certificate.validTo) - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect(certificate.subject).toBe('O=system:masters\nCN=remuda');
  });

  it('are signed for a person from nothing but the key of the request', async () => {
    const { request } = await requestCertificate();
    const made = await signCredential(keys, { user: 'ada', groups: ['admins'], request, seconds: 600 });
    const certificate = new X509Certificate(made.certificate);
    expect(certificate.subject).toBe('O=admins\nCN=ada');
    expect(new Date(certificate.validTo).toISOString()).toBe(made.notAfter);
  });

  it('are refused for a broken request, a weak key, and break-glass groups', async () => {
    const { request } = await requestCertificate();
    const ask = (over: object) =>
      signCredential(keys, { user: 'ada', groups: ['admins'], request, seconds: 600, ...over });
    await expect(ask({ request: 'nonsense' })).rejects.toMatchObject({ report: { code: 'PKI-001' } });
    await expect(ask({ groups: ['system:masters'] })).rejects.toMatchObject({ report: { code: 'PKI-003' } });
    await expect(ask({ user: 'system:admin' })).rejects.toMatchObject({ report: { code: 'PKI-003' } });
    const weak = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
    };
    const weakKeys = await crypto.subtle.generateKey(weak, true, ['sign', 'verify']);
    const weakRequest = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=x',
      keys: weakKeys,
      signingAlgorithm: weak,
    });
    await expect(ask({ request: weakRequest.toString('pem') })).rejects.toMatchObject({
      report: { code: 'PKI-002' },
    });
  });
});

describe('sealing', () => {
  it('opens for the agent and for the recovery key, and for nobody else', async () => {
    const [agent, recovery, stranger] = await Promise.all([drawIdentity(), drawIdentity(), drawIdentity()]);
    const recipients = [await recipientOf(agent), await recipientOf(recovery)];
    for (const sealed of [await seal(recipients, 'secret words'), await sealTo(recipients, 'secret words')]) {
      expect(sealed).not.toContain('secret words');
      expect(await open(agent, sealed, 'it')).toBe('secret words');
      expect(await open(recovery, sealed, 'it')).toBe('secret words');
      await expect(open(stranger, sealed, 'it')).rejects.toMatchObject({ report: { code: 'SECRET-012' } });
    }
    await expect(sealTo([], 'x')).rejects.toThrow(/at least one/u);
  });
});
