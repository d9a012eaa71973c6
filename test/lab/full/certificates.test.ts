import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineCertificate } from '../../../provisioners/contract/ports/host.ts';
import { keeperOf } from '../../../provisioners/kubernetes/kubeadm-certificates.ts';
import { certificatesRenew } from '../../../provisioners/kubernetes/steps/certificates-renew.ts';
import { clusterAccessGrant } from '../../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { controlPlaneVerify } from '../../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { kubeletClientRenew } from '../../../provisioners/kubernetes/steps/kubelet-client-renew.ts';
import { kubeletRevive } from '../../../provisioners/kubernetes/steps/kubelet-revive.ts';
import { LabMasters } from '../certificates/masters.ts';
import { shorten, shortenKubelet } from '../certificates/short-lived.ts';

const day = 24 * 3_600_000;
let masters: LabMasters;
beforeAll(async () => {
  masters = await LabMasters.start(['m1']);
});
afterAll(() => masters?.stop());

const renewable = async (): Promise<MachineCertificate[]> =>
  (await masters.bench.ports().host.certificates(masters.bench.machine)).filter(
    ({ name }) => keeperOf(name) === 'kubeadm',
  );

const version = (): Promise<string | undefined> =>
  masters.bench.ports().kubernetes.version(masters.access, masters.bench.machine);

/** Renews the master and waits for it, as a plan does. */
async function renew(about: string, endsAfter: string, isRescue: boolean): Promise<void> {
  const { settings, access, bench } = masters;
  const input = { machine: bench.machine, settings, access, endsAfter, isRescue };
  expect(await masters.perform(certificatesRenew, about, input)).toEqual({ state: 'done', facts: {} });
  const proof = { machines: [bench.machine], endpoint: settings.endpoint, access };
  expect(await masters.perform(controlPlaneVerify, about, proof)).toEqual({ state: 'done', facts: {} });
}

describe('certificates of a real master (H12, complaint 13)', () => {
  it('has nothing to renew and nothing outdated when kubeadm has just made it', async () => {
    const { settings, access, bench } = masters;
    const endsAfter = new Date(Date.now() + 300 * day).toISOString();
    const input = { machine: bench.machine, settings, access, endsAfter, isRescue: false };
    const context = masters.context('certificates.renew/m1', 1);
    await expect.poll(() => certificatesRenew.observe(context, input)).toEqual({ state: 'done', facts: {} });
    expect((await renewable()).map(({ issuer }) => issuer)).toContain('etcd-ca');
  });

  it('renews all of them, and what runs reads them', async () => {
    const before = await renewable();
    const endsAfter =
      before
        .map(({ notAfter }) => notAfter)
        .sort()
        .at(-1) ?? '';
    await renew('all', endsAfter, false);
    const after = await renewable();
    expect(after).toHaveLength(before.length);
    const old = new Set(before.map(({ fingerprint }) => fingerprint));
    for (const { fingerprint, notAfter } of after) {
      expect(old.has(fingerprint)).toBe(false);
      expect(notAfter > endsAfter).toBe(true);
    }
    expect(await version()).toBe('v1.20.2');
  });

  it('brings a cluster back whose certificates have run out (rescue, with short-lived ones)', async () => {
    const notAfter = new Date(Date.now() + 40_000);
    await shorten(masters, masters.bench.machine, notAfter);
    await expect.poll(() => Date.now()).toBeGreaterThan(notAfter.getTime());
    await expect.poll(version).toBeUndefined();
    await renew('rescue', new Date(Date.now() + 300 * day).toISOString(), true);
    expect(await version()).toBe('v1.20.2');
    const members = await masters.bench.ports().etcd.members(masters.access);
    expect(members.map(({ healthy }) => healthy)).toEqual([true]);
  });

  it('and a kubelet that does not even start, because its own has run out as well', async () => {
    const { settings, access, bench } = masters;
    const { machine } = bench;
    const { host, service, file } = bench.ports();
    const kubelet = async () =>
      (await host.certificates(machine)).find(({ name }) => name === 'kubelet/client');
    const isActive = async () => (await service.state(machine, ['kubelet.service']))[0]?.active === true;
    const notAfter = new Date(Date.now() + 20_000);
    await shorten(masters, machine, notAfter);
    await shortenKubelet(masters, machine, notAfter);
    await expect.poll(() => Date.now()).toBeGreaterThan(notAfter.getTime());
    await service.restart(machine, 'kubelet.service').catch(() => undefined);
    await expect.poll(isActive).toBe(false);
    const given = { machine, endpoint: settings.endpoint };
    expect(await masters.perform(kubeletRevive, 'm1', given)).toMatchObject({ state: 'done' });
    await renew('again', new Date(Date.now() + 300 * day).toISOString(), true);
    expect(await masters.perform(clusterAccessGrant, 'cluster', { access })).toMatchObject({ state: 'done' });
    expect(await masters.perform(kubeletClientRenew, 'm1', given)).toMatchObject({ state: 'done' });
    expect(Date.parse((await kubelet())?.notAfter ?? '') - Date.now()).toBeGreaterThan(300 * day);
    expect((await file.exist(machine, ['/etc/kubernetes/bootstrap-kubelet.conf'])).size).toBe(0);
    await expect.poll(isActive).toBe(true);
  });
});
