import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { MachineCertificate } from '../../provisioners/contract/ports.ts';
import { keeperOf } from '../../provisioners/kubernetes/kubeadm-certificates.ts';
import { certificatesRenew } from '../../provisioners/kubernetes/steps/certificates-renew.ts';
import { LabMasters } from './certificates/masters.ts';
import { shorten } from './certificates/short-lived.ts';
import { Writer } from './certificates/writer.ts';

let masters: LabMasters;
beforeAll(async () => {
  masters = await LabMasters.start(['m1', 'm2', 'm3']);
});
afterAll(() => masters?.stop());

const renewable = async (machine: MachineRef): Promise<MachineCertificate[]> =>
  (await masters.bench.ports().host.certificates(machine)).filter(({ name }) => keeperOf(name) === 'kubeadm');

const everyRenewable = async (): Promise<MachineCertificate[]> =>
  (await Promise.all(masters.machines.map(renewable))).flat();

/** Versions of those API servers that are ready. */
const ready = async (): Promise<string[]> => {
  const { kubernetes } = masters.bench.ports();
  const versions = await Promise.all(
    masters.machines.map((machine) => kubernetes.version(masters.access, machine)),
  );
  return versions.flatMap((version) => version ?? []);
};

/** Renews every master, one after another. */
async function renewAll(endsAfter: string, isRescue: boolean): Promise<void> {
  const { settings, access } = masters;
  for (const machine of masters.machines) {
    const input = { machine, settings, access, endsAfter, isRescue };
    const seen = await masters.perform(certificatesRenew, `${machine.name}-${endsAfter}`, input);
    expect(seen).toEqual({ state: 'done', facts: {} });
  }
}

describe('certificates of real masters (H12, complaint 13)', () => {
  it('has nothing to renew and nothing outdated in a cluster that kubeadm has just made', async () => {
    const endsAfter = new Date(Date.now() + 300 * 24 * 3_600_000).toISOString();
    const { settings, access } = masters;
    for (const machine of masters.machines) {
      const input = { machine, settings, access, endsAfter, isRescue: false };
      const context = masters.context(`certificates.renew/${machine.name}`, 1);
      await expect
        .poll(() => certificatesRenew.observe(context, input))
        .toEqual({ state: 'done', facts: {} });
    }
  });

  it('renews all of them while a writer writes: no acknowledged write is lost', async () => {
    const before = await everyRenewable();
    const endsAfter =
      before
        .map(({ notAfter }) => notAfter)
        .sort()
        .at(-1) ?? '';
    const writer = new Writer(masters);
    writer.start();
    await expect.poll(() => writer.acknowledged).toBeGreaterThan(10);
    await renewAll(endsAfter, false);
    const last = await writer.stop();
    process.stderr.write(
      `certificates: ${writer.attempts} writes, ${writer.failures.length} failed\n${writer.failures.map(({ at, why }) => `  ${at} ${why}`).join('\n')}\n`,
    );
    expect(last).toBeGreaterThanOrEqual(writer.acknowledged);
    const after = await everyRenewable();
    expect(after).toHaveLength(before.length);
    const old = new Set(before.map(({ fingerprint }) => fingerprint));
    for (const { fingerprint, notAfter } of after) {
      expect(old.has(fingerprint)).toBe(false);
      expect(notAfter > endsAfter).toBe(true);
    }
    expect(await ready()).toEqual(['v1.20.2', 'v1.20.2', 'v1.20.2']);
  });

  it('brings a cluster back whose certificates have run out (rescue, with short-lived ones)', async () => {
    const notAfter = new Date(Date.now() + 40_000);
    for (const machine of masters.machines) await shorten(masters, machine, notAfter);
    await expect.poll(async () => (await ready()).length).toBe(0);
    await expect.poll(() => Date.now()).toBeGreaterThan(notAfter.getTime());
    await renewAll(new Date(Date.now() + 300 * 24 * 3_600_000).toISOString(), true);
    await expect.poll(async () => (await ready()).length).toBe(3);
    const members = await masters.bench.ports().etcd.members(masters.access);
    expect(members.map(({ healthy }) => healthy)).toEqual([true, true, true]);
  });
});
