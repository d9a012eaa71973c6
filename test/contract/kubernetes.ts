import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { ControlPlaneBench } from './bench.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** What every KubernetesPort must do, against an API server alone: no kubelet, no controllers. */
export function kubernetesSuite(
  name: string,
  version: string,
  makeBench: () => Promise<ControlPlaneBench>,
): void {
  describe(`kubernetes port, ${name}`, () => {
    let bench: ControlPlaneBench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const map = (content: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'contract', namespace: 'default', labels: { contract: 'yes' } },
      data: { content },
    });
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'contract' };

    it('tells the version of a master, and undefined where nobody answers', async () => {
      const { kubernetes } = bench.ports();
      expect(await kubernetes.version(bench.access, bench.machine)).toBe(version);
      expect(await kubernetes.version(bench.access, bench.absent)).toBeUndefined();
    });

    it('tells the version at an endpoint, and undefined where nobody answers', async () => {
      const { kubernetes } = bench.ports();
      const endpoint = { host: bench.machine.address, port: bench.access.apiPort };
      expect(await kubernetes.versionAtEndpoint(bench.access, endpoint)).toBe(version);
      expect(await kubernetes.versionAtEndpoint(bench.access, { ...endpoint, port: 1 })).toBeUndefined();
    });

    it('knows what is not there', async () => {
      const { kubernetes } = bench.ports();
      expect(await kubernetes.get(bench.access, { ...reference, name: 'none' })).toBeUndefined();
      await kubernetes.remove(bench.access, { ...reference, name: 'none' });
    });

    it('applies, again without change, and again with one', async () => {
      const { kubernetes } = bench.ports();
      await kubernetes.apply(bench.access, [map('one')]);
      const first = await kubernetes.get(bench.access, reference);
      expect(first).toMatchObject({ kind: 'ConfigMap', data: { content: 'one' } });
      await kubernetes.apply(bench.access, [map('one')]);
      await kubernetes.apply(bench.access, [map('two')]);
      expect(await kubernetes.get(bench.access, reference)).toMatchObject({ data: { content: 'two' } });
    });

    it('applies namespaced and cluster-wide kinds of any group, in the order given', async () => {
      const { kubernetes } = bench.ports();
      await kubernetes.apply(bench.access, [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'contract-ns' } },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRole',
          metadata: { name: 'contract-role' },
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
        },
        { ...map('there'), metadata: { ...map('').metadata, namespace: 'contract-ns' } },
      ]);
      const found = await kubernetes.list(bench.access, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        labelSelector: 'contract=yes',
      });
      expect(found.map(({ metadata }) => metadata.namespace).sort()).toEqual(['contract-ns', 'default']);
      for (const object of found) expect(object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    });

    it('lists everything that the selector names (one page; the lab has no more)', async () => {
      const { kubernetes } = bench.ports();
      const objects = Array.from({ length: 30 }, (_, i) => ({
        ...map(`${i}`),
        metadata: { name: `many-${i}`, namespace: 'default', labels: { many: 'yes' } },
      }));
      await kubernetes.apply(bench.access, objects);
      const of = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', labelSelector: 'many=yes' };
      expect(await kubernetes.list(bench.access, of)).toHaveLength(30);
    });

    it('removes, and takes what is gone for removed', async () => {
      const { kubernetes } = bench.ports();
      await kubernetes.remove(bench.access, reference);
      await kubernetes.remove(bench.access, reference);
      // Foreground deletion ends when the garbage collector says so; without controllers it stays under way.
      const rest = await kubernetes.get(bench.access, reference);
      if (rest !== undefined) expect(rest.metadata['deletionTimestamp']).toBeDefined();
    });

    it('goes on to the next master when one does not answer', async () => {
      const access = { ...bench.access, masters: [bench.absent, bench.machine] };
      const { kubernetes } = bench.ports();
      expect(await kubernetes.get(access, { ...reference, name: 'many-1' })).toBeDefined();
    });

    it('says transient for a kind that is not served yet, and when no master answers', async () => {
      const { kubernetes } = bench.ports();
      const unknown = { apiVersion: 'example.com/v1', kind: 'Nothing' };
      await expect(kubernetes.list(bench.access, unknown)).rejects.toMatchObject({
        report: { kind: 'transient' },
      });
      const nobody = { ...bench.access, masters: [bench.absent] };
      await expect(kubernetes.get(nobody, reference)).rejects.toMatchObject({
        report: { kind: 'transient' },
      });
    });

    it('decides on a certificate request once, and takes one that is gone for decided', async () => {
      const { kubernetes } = bench.ports();
      const keys = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
      const request = await Pkcs10CertificateRequestGenerator.create({
        name: 'CN=contract',
        keys,
        signingAlgorithm: ecdsa,
      });
      const of = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' } as const;
      const spec = {
        request: Buffer.from(request.toString('pem')).toString('base64'),
        signerName: 'example.com/nobody',
        usages: ['client auth'],
      };
      await kubernetes.apply(bench.access, [{ ...of, metadata: { name: 'contract' }, spec }]);
      const approval = { type: 'Approved', reason: 'Contract', message: 'as asked' } as const;
      await kubernetes.decide(bench.access, 'contract', approval);
      await kubernetes.decide(bench.access, 'contract', { ...approval, type: 'Denied' });
      const found = await kubernetes.get(bench.access, { ...of, name: 'contract' });
      expect(found).toMatchObject({ status: { conditions: [{ ...approval, status: 'True' }] } });
      await kubernetes.remove(bench.access, { ...of, name: 'contract' });
      await kubernetes.decide(bench.access, 'contract', approval);
    });

    it('passes on why an object is refused', async () => {
      const bad = { ...map('x'), metadata: { name: 'Not A Name' } };
      await expect(bench.ports().kubernetes.apply(bench.access, [bad])).rejects.toThrow(/Not A Name/u);
    });
  });
}
