import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComponentState, ControlPlaneComponent } from '../../provisioners/contract/control-plane.ts';
import type { ControlPlaneBench } from './bench.ts';

/** A bench with one static pod, or what stands for one: whoever ends it, it is started anew. */
export interface ComponentBench extends ControlPlaneBench {
  /** Its first file is the certificate that it shows. */
  readonly component: ControlPlaneComponent;
}

/** What every HostPort must tell of static pods, and do to them (complaint 13). */
export function componentSuite(name: string, makeBench: () => Promise<ComponentBench>): void {
  describe(`static pods by the host port, ${name}`, () => {
    let bench: ComponentBench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const look = async (component = bench.component): Promise<ComponentState | undefined> =>
      (await bench.ports().host.components(bench.machine, [component]))[0];
    const lookUntil = async (isSo: (state: ComponentState) => boolean): Promise<ComponentState> => {
      for (;;) {
        const state = await look();
        if (state !== undefined && isSo(state)) return state;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const path = (): string => bench.component.files[0] ?? '';

    it('says what runs, and which certificate it shows', async () => {
      const state = await lookUntil(({ served }) => served !== undefined);
      expect(state).toMatchObject({ name: bench.component.name, running: true, outdated: [] });
      expect(state.served?.fingerprint).toMatch(/^[0-9a-f]{64}$/u);
      expect(Date.parse(state.served?.notAfter ?? '')).toBeGreaterThan(0);
    });

    it('takes nobody else of the name for it (attack: a pod that bears the name)', async () => {
      const stranger = { ...bench.component, argument: '--cert-file=/tmp/of-somebody.crt', port: 1 };
      expect(await look(stranger)).toEqual({ name: stranger.name, running: false, outdated: [] });
      await bench.ports().host.restartComponent(bench.machine, stranger);
      expect(await look()).toMatchObject({ running: true });
    });

    it('sees that a file is newer than the process that read it, until that is restarted', async () => {
      const { file, host } = bench.ports();
      const content = (await file.read(bench.machine, path())) ?? '';
      await file.write(bench.machine, [{ path: path(), content, mode: 0o644 }]);
      expect(await look()).toMatchObject({ running: true, outdated: [path()] });
      await host.restartComponent(bench.machine, bench.component);
      const after = await lookUntil(({ running, served }) => running && served !== undefined);
      expect(after.outdated).toEqual([]);
    });

    it('takes a file that is not there for unchanged', async () => {
      const component = { ...bench.component, files: ['/etc/kubernetes/pki/none.crt'] };
      expect(await look(component)).toMatchObject({ running: true, outdated: [] });
    });

    it('refuses an older epoch', async () => {
      const { component, machine } = bench;
      await bench.ports({ epoch: 9 }).host.restartComponent(machine, component);
      await expect(bench.ports({ epoch: 8 }).host.restartComponent(machine, component)).rejects.toMatchObject(
        { report: { kind: 'blocked' } },
      );
    });
  });
}
