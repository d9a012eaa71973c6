import { afterEach, describe, expect, it } from 'vitest';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

describe('the backup before masters leave (DESIGN §5, V9)', () => {
  it('is taken when the window opens, not when somebody asked for the change a night before', async () => {
    const world = new World();
    worlds.push(world);
    await world.open();
    // Model time starts on Thursday, 1 January 2026, 00:00 UTC.
    const maintenance = '{ windows: [{ days: [Thu], from: "04:00", to: "06:00", timeZone: Europe/Berlin }] }';
    const size = { masters: 3, workers: 0, maintenance };
    const made = await world.run(world.apply(answerFile(size), 'create'));
    expect(made?.state, world.explain()).toBe('succeeded');
    const change = { kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' } as const;
    const replaced = await world.run(world.change(change, 'replace'));
    expect(replaced?.state, `${replaced?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
    const events = await world.run(
      world.request((engine) => engine.events(0, { operation: replaced?.id ?? '' })),
    );
    const startOf = (step: string): number =>
      Date.parse(events.find((one) => one.type === 'step.started' && one.step?.startsWith(step))?.at ?? '');
    const opens = Date.parse('2026-01-01T03:00:00.000Z');
    // The new master joined at once, behind a backup of its own.
    expect(startOf('etcd.snapshot/cluster')).toBeLessThan(startOf('control-plane.join/'));
    expect(startOf('control-plane.join/')).toBeLessThan(opens);
    expect(startOf('etcd.snapshot/before masters leave')).toBeGreaterThanOrEqual(opens);
    expect(startOf('node.cordon/')).toBeGreaterThan(startOf('etcd.snapshot/before masters leave'));
    expect(world.fleet.backups).toHaveLength(2);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });
});
