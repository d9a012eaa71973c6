import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bench } from './bench.ts';

/** What every PayloadPort must do; the bench has a payload for `version` and none for v1.0.0. */
export function payloadSuite(name: string, version: string, makeBench: () => Promise<Bench>): void {
  describe(`payload port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    it('tells what is on board', async () => {
      const summary = await bench.ports().payload.summary(version);
      expect(summary.kubernetesVersion).toBe(version);
      expect(summary.images.length).toBeGreaterThan(3);
      expect(summary.digest).not.toBe('');
    });

    it('says blocked, with the command that brings it, for a version that is not there', async () => {
      await expect(bench.ports().payload.summary('v1.0.0')).rejects.toMatchObject({
        report: { kind: 'blocked', remedy: expect.stringContaining('payload') },
      });
    });

    it('finds everything missing on a bare machine, installs it, and then finds everything present (complaint 14)', async () => {
      const { payload } = bench.ports();
      const before = await payload.observe(bench.machine, version, 'worker');
      expect(before.state).toBe('absent');
      await payload.install(bench.machine, version, 'worker');
      expect(await bench.ports().payload.observe(bench.machine, version, 'worker')).toEqual({
        state: 'present',
      });
      await payload.install(bench.machine, version, 'worker');
      const master = await payload.observe(bench.machine, version, 'control-plane');
      expect(master).toMatchObject({ state: 'absent' });
      if (master.state === 'absent' && before.state === 'absent')
        expect(master.missing.length).toBeLessThan(before.missing.length);
    });

    it('refuses a text that the manifest does not name', async () => {
      await expect(bench.ports().payload.text(version, '../../etc/passwd')).rejects.toThrow();
    });
  });
}
