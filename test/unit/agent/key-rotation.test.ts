import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCertificates } from '../../../appliance/agent/adapters/certificates.ts';
import { rotateKeys } from '../../../appliance/agent/key-rotation.ts';
import { drawAuthorities, drawClusterKeys, mintClient, publicHalf } from '../../../appliance/agent/pki.ts';
import {
  type ClusterKeys,
  clusterKeysSchema,
  trustedCertificates,
} from '../../../provisioners/contract/secrets.ts';
import { pkiFiles } from '../../../provisioners/kubernetes/pki-files.ts';

const draw = () => drawAuthorities('east');
const refuse = (): never => {
  throw new Error('nothing is drawn');
};

const fileOf = (keys: ClusterKeys, path: string): string =>
  pkiFiles(keys).find((file) => file.path === `/etc/kubernetes/pki/${path}`)?.content ?? '';

const certificates = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN [\s\S]+?-----END [^\n]+/gu) ?? []).map((one) => new X509Certificate(one));

describe('the keys of a cluster while its authorities are rotated (H12)', () => {
  it('draws a next one once, believes both, and goes on signing with the old one', async () => {
    const before = await drawClusterKeys('east');
    const trusted = clusterKeysSchema.parse(await rotateKeys(before, 'trust', draw));
    expect(await rotateKeys(trusted, 'trust', refuse)).toEqual(trusted);
    for (const [name, path] of [
      ['kubernetes', 'ca'],
      ['etcd', 'etcd/ca'],
      ['frontProxy', 'front-proxy-ca'],
    ] as const) {
      const [first, second, ...others] = certificates(fileOf(trusted, `${path}.crt`));
      expect(others).toEqual([]);
      expect(first?.fingerprint256).toBe(new X509Certificate(before[name].certificate).fingerprint256);
      expect(second?.fingerprint256).not.toBe(first?.fingerprint256);
      expect(fileOf(trusted, `${path}.key`)).toBe(before[name].key);
    }
    expect(certificates(fileOf(trusted, 'signing/ca.crt'))).toHaveLength(1);
    expect(publicHalf(trusted)).toMatchObject({
      caHash: publicHalf(before).caHash,
      rotation: { stage: 'trust' },
      caCertificate: trustedCertificates(trusted.kubernetes),
    });
  });

  it('then signs with the new one, whose key belongs to the first certificate, and forgets the old key', async () => {
    const before = await drawClusterKeys('east');
    const reissued = await rotateKeys(await rotateKeys(before, 'trust', draw), 'reissue', refuse);
    expect(await rotateKeys(reissued, 'reissue', refuse)).toEqual(reissued);
    expect(JSON.stringify(reissued)).not.toContain(JSON.stringify(before.kubernetes.key));
    const [first] = certificates(fileOf(reissued, 'ca.crt'));
    const { certificate } = await mintClient(reissued.kubernetes, {
      commonName: 'a',
      organizations: [],
      seconds: 60,
    });
    expect(new X509Certificate(certificate).verify(first?.publicKey ?? refuse())).toBe(true);
    // Both bear one name: who has signed is told by the signature.
    const [seen] = parseCertificates(`== apiserver\n${certificate}\n`, [
      before.kubernetes.certificate,
      reissued.kubernetes.certificate,
    ]);
    expect(seen).toMatchObject({ issuer: 'kubernetes', signer: reissued.kubernetes.certificate });
    expect(publicHalf(reissued)).toMatchObject({ rotation: { stage: 'reissue' } });
  });

  it('and in the end knows nothing of the old one; the other keys were never touched', async () => {
    const before = await drawClusterKeys('east');
    const reissued = await rotateKeys(await rotateKeys(before, 'trust', draw), 'reissue', refuse);
    const dropped = await rotateKeys(reissued, 'drop', refuse);
    expect(JSON.stringify(dropped)).not.toContain(JSON.stringify(before.kubernetes.certificate).slice(1, -1));
    expect(publicHalf(dropped).rotation).toBeUndefined();
    const { kubernetes: _k, etcd: _e, frontProxy: _f, ...others } = before;
    expect(dropped).toMatchObject(others);
    // Files of one authority are what they were before there was a rotation: nothing is written anew for it.
    expect(fileOf(dropped, 'ca.crt')).toBe(dropped.kubernetes.certificate);
  });
});
