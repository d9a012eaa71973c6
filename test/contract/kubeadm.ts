import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bench } from './bench.ts';

/** What every KubeadmPort must do, on a machine with kubeadm and without a cluster. */
export function kubeadmSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`kubeadm port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());
    const join = {
      verb: 'join',
      config: '/etc/kubernetes/remuda/no-such-config.yaml',
      skipPhases: [],
      ignorePreflightErrors: [],
    } as const;

    it('knows nothing of a command that was never started', async () => {
      expect(await bench.ports({ step: 'never' }).kubeadm.observe(bench.machine, 'join')).toEqual({
        state: 'absent',
      });
    });

    it('runs to the end, with its lines in the log, and remembers that it ended', async () => {
      await bench.ports({ step: 'reset' }).kubeadm.run(bench.machine, { verb: 'reset' });
      expect(bench.lines().length).toBeGreaterThan(0);
      const seen = await bench.ports({ step: 'reset', attempt: 2 }).kubeadm.observe(bench.machine, 'reset');
      expect(seen).toMatchObject({ state: 'ended', exitCode: 0 });
    });

    it('throws transient with the last lines when it fails, and remembers that too', async () => {
      await expect(bench.ports({ step: 'join' }).kubeadm.run(bench.machine, join)).rejects.toMatchObject({
        report: { kind: 'transient', lastLines: expect.arrayContaining([expect.any(String)]) },
      });
      const seen = await bench.ports({ step: 'join' }).kubeadm.observe(bench.machine, 'join');
      expect(seen.state === 'ended' && seen.exitCode !== 0).toBe(true);
    });

    it('keeps steps and verbs apart', async () => {
      expect(await bench.ports({ step: 'join' }).kubeadm.observe(bench.machine, 'init')).toEqual({
        state: 'absent',
      });
      expect(await bench.ports({ step: 'other' }).kubeadm.observe(bench.machine, 'join')).toEqual({
        state: 'absent',
      });
      const elsewhere = bench.ports({ operation: 'another', step: 'join' });
      expect(await elsewhere.kubeadm.observe(bench.machine, 'join')).toEqual({ state: 'absent' });
    });

    it('starts anew when an earlier run has ended', async () => {
      await bench.ports({ step: 'reset', attempt: 3 }).kubeadm.run(bench.machine, { verb: 'reset' });
    });

    it('renews what certificates there are, which may be none', async () => {
      const ports = bench.ports({ step: 'renew' });
      const config = '/etc/kubernetes/remuda/renewal.yaml';
      const { machine } = bench;
      const content = [
        'apiVersion: kubeadm.k8s.io/v1beta2',
        'kind: InitConfiguration',
        `localAPIEndpoint: { advertiseAddress: ${machine.address} }`,
        `nodeRegistration: { name: ${machine.name}, criSocket: /run/containerd/containerd.sock }`,
        '---',
        'apiVersion: kubeadm.k8s.io/v1beta2',
        'kind: ClusterConfiguration',
        'kubernetesVersion: v1.20.2',
        '',
      ].join('\n');
      await ports.file.write(bench.machine, [{ path: config, content, mode: 0o600 }]);
      await ports.kubeadm.run(bench.machine, { verb: 'renew', config });
      expect(await ports.kubeadm.observe(bench.machine, 'renew')).toMatchObject({
        state: 'ended',
        exitCode: 0,
      });
      await ports.file.remove(bench.machine, [config]);
    });

    it('refuses an older epoch', async () => {
      await bench.ports({ step: 'reset', epoch: 9 }).kubeadm.run(bench.machine, { verb: 'reset' });
      await expect(
        bench.ports({ step: 'reset', epoch: 8 }).kubeadm.run(bench.machine, { verb: 'reset' }),
      ).rejects.toMatchObject({ report: { kind: 'blocked' } });
    });
  });
}
