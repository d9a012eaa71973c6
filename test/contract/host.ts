import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { drawServer } from '../../appliance/agent/pki.ts';
import { ownHostKeyPath } from '../../provisioners/contract/ports/host.ts';
import type { Bench } from './bench.ts';

/** What every HostPort must do. */
export function hostSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`host port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    it('reaches a machine that answers', async () => {
      await bench.ports().host.reach(bench.machine);
    });

    it('says transient when nobody answers: nothing is known', async () => {
      await expect(bench.ports().host.reach(bench.absent)).rejects.toMatchObject({
        report: { kind: 'transient' },
      });
    });

    it('says blocked when the machine shows another host key (attack: somebody in between)', async () => {
      await expect(bench.ports().host.reach(bench.impostor)).rejects.toMatchObject({
        report: { kind: 'blocked' },
      });
    });

    it('tells every fact that the checks need', async () => {
      const facts = await bench.ports().host.facts(bench.machine);
      expect(facts.cpus).toBeGreaterThan(0);
      expect(facts.memory).toBeGreaterThan(64 * 2 ** 20);
      expect(facts.machineId).not.toBe('');
      expect([1, 2]).toContain(facts.cgroupVersion);
      expect(Object.keys(facts.freeDisk).length).toBeGreaterThan(0);
      expect(facts.operatingSystem.id).not.toBe('');
      expect(facts.addresses.some(({ cidr }) => cidr.startsWith(`${bench.machine.address}/`))).toBe(true);
      expect(facts.clockUncertainty).toBeGreaterThanOrEqual(0);
      expect(facts.clock).toBeGreaterThan(1_700_000_000);
    });

    it('probes addresses: those that answer and those that do not', async () => {
      const { address } = bench.machine;
      const reaches = await bench.ports().host.probe(bench.machine, [address, bench.absent.address]);
      expect(reaches).toHaveLength(2);
      expect(reaches[0]).toMatchObject({ to: address, reachable: true });
      expect(reaches[0]?.mtu).toBeGreaterThanOrEqual(576);
      expect(reaches[1]).toEqual({ to: bench.absent.address, reachable: false, mtu: 0 });
    });

    it('measures the disk that etcd will use', async () => {
      const { fsyncP99, samples } = await bench.ports().host.measureDisk(bench.machine, '/var/lib/etcd');
      expect(samples).toBeGreaterThan(0);
      expect(fsyncP99).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(fsyncP99)).toBe(true);
    });

    it('configures once; then inspecting finds nothing and configuring changes nothing', async () => {
      const { host } = bench.ports();
      const settings = {
        hostname: bench.machine.name,
        modules: ['overlay', 'br_netfilter'],
        sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.panic': '10' },
        hosts: { [bench.machine.address]: [bench.machine.name, 'a-name.example'] },
      };
      expect((await host.inspect(bench.machine, settings)).length).toBeGreaterThan(0);
      expect((await host.configure(bench.machine, settings)).length).toBeGreaterThan(0);
      expect(await host.inspect(bench.machine, settings)).toEqual([]);
      expect(await host.configure(bench.machine, settings)).toEqual([]);
      const other = { ...settings, hosts: {} };
      expect(await host.inspect(bench.machine, other)).toHaveLength(1);
    });

    it('tells when certificates end, and reads no private key', async () => {
      const { host, file } = bench.ports();
      const { certificate, key } = await drawServer(bench.machine.address);
      // The kubelet keeps both in one file.
      const pem = `${certificate}\n${key}\n`;
      await file.write(bench.machine, [
        { path: '/etc/kubernetes/pki/apiserver.crt', content: pem, mode: 0o644 },
        { path: '/etc/kubernetes/pki/etcd/ca.crt', content: certificate, mode: 0o644 },
      ]);
      const found = await host.certificates(bench.machine);
      expect(found.map((each) => each.name).sort()).toEqual(['apiserver', 'etcd/ca']);
      const end = new X509Certificate(certificate).validToDate.toISOString();
      expect(found.find((each) => each.name === 'apiserver')?.notAfter).toBe(end);
      await file.remove(bench.machine, ['/etc/kubernetes/pki']);
    });

    it('makes the own host key once, and then lets the machine show only that', async () => {
      const { host, file } = bench.ports();
      const publicKey = await host.generateHostKey(bench.machine);
      expect(publicKey).toMatch(/^ssh-ed25519 \S+$/u);
      expect(await host.generateHostKey(bench.machine)).toBe(publicKey);
      expect(await file.read(bench.machine, `${ownHostKeyPath}.pub`)).toContain(publicKey);
      const pinned = { ...bench.machine, hostKeys: [publicKey] };
      await expect(host.reach(pinned)).rejects.toMatchObject({ report: { kind: 'blocked' } });
      const both = { ...bench.machine, hostKeys: [...bench.machine.hostKeys, publicKey] };
      await host.replaceHostKey(both, publicKey);
      await host.reach(pinned);
      await host.replaceHostKey(both, publicKey);
      await expect(bench.ports().host.reach(bench.machine)).rejects.toMatchObject({
        report: { kind: 'blocked' },
      });
    });
  });
}
