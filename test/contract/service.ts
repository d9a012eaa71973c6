import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bench } from './bench.ts';

/** What every ServicePort must do. `containerd.service` stands for any; the suite brings its unit file. */
export function serviceSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`service port, ${name}`, () => {
    let bench: Bench;
    const unit = 'containerd.service';
    beforeAll(async () => {
      bench = await makeBench();
      const content = '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n';
      await bench
        .ports()
        .file.write(bench.machine, [{ path: `/etc/systemd/system/${unit}`, content, mode: 0o644 }]);
    });
    afterAll(() => bench?.stop());

    it('knows a unit that is not there', async () => {
      const [state] = await bench.ports().service.state(bench.machine, ['no-such-thing.service']);
      expect(state).toMatchObject({
        unit: 'no-such-thing.service',
        active: false,
        enabled: false,
        detail: 'not-found',
      });
    });

    it('starts and enables, restarts, reloads, stops and disables; each may be repeated', async () => {
      const { service } = bench.ports();
      const state = async () => (await service.state(bench.machine, [unit]))[0];
      await service.start(bench.machine, unit);
      await service.start(bench.machine, unit);
      expect(await state()).toMatchObject({ active: true, enabled: true });
      await service.restart(bench.machine, unit);
      expect(await state()).toMatchObject({ active: true, enabled: true });
      await service.reload(bench.machine, unit);
      expect(await state()).toMatchObject({ active: true, enabled: true });
      await service.stop(bench.machine, unit);
      await service.stop(bench.machine, unit);
      expect(await state()).toMatchObject({ active: false, enabled: false });
    });

    it('stopping what is not there is no error', async () => {
      await bench.ports().service.stop(bench.machine, 'no-such-thing.service');
    });

    it('answers in the order it was asked', async () => {
      const states = await bench.ports().service.state(bench.machine, [unit, 'no-such-thing.service', unit]);
      expect(states.map((state) => state.unit)).toEqual([unit, 'no-such-thing.service', unit]);
    });
  });
}
