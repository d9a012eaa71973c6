import { afterEach, describe, expect, it } from 'vitest';
import type { RestoreRequest } from '../../daemon/operations/restoring.ts';
import type { World } from './harness.ts';
import {
  clusterOf,
  expectSettled,
  lose,
  machineOf,
  openWith,
  votersOf,
  write,
  written,
} from './restore-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function opened(masters: number): Promise<World> {
  const world = await openWith(masters);
  worlds.push(world);
  return world;
}

/** An ordinary backup, by an operation. */
async function backUp(world: World): Promise<void> {
  const asked = { cluster: 'demo', principal: 'tester', intent: { kind: 'backup' } } as const;
  const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(asked)));
  const view = await world.run(world.ended(operation?.id ?? ''));
  expect(view.state, view.problem?.summary).toBe('succeeded');
}

const wish = (more: Partial<RestoreRequest> = {}): RestoreRequest => ({
  cluster: 'demo',
  principal: 'tester',
  from: 'backup',
  lost: [],
  acceptsUnknown: false,
  ...more,
});

/** A refusal as the client gets it; not by way of a patient one that asks again. */
async function refused(world: World, request: RestoreRequest): Promise<unknown> {
  const asked = world.daemon?.process.run(() => world.daemon?.engine.restoring.start(request));
  return world.run(Promise.resolve(asked)).then(
    () => undefined,
    (error: unknown) => (error as { report?: { code: string } }).report?.code ?? error,
  );
}

async function carriedOut(world: World, request: RestoreRequest): Promise<void> {
  const plan = await world.run(world.request((engine) => engine.restoring.plan(request)));
  expect(plan.needsConfirmation).toEqual(['demo']);
  const agreed = { ...request, planHash: plan.hash, confirm: 'demo', idempotencyKey: plan.hash };
  const { operation } = await world.run(world.request((engine) => engine.restoring.start(agreed)));
  const again = await world.run(world.request((engine) => engine.restoring.start(agreed)));
  expect(again.operation?.id).toBe(operation?.id);
  const view = await world.run(world.ended(operation?.id ?? ''));
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

describe('restore at the door (complaint 8, F3)', () => {
  it('takes the newest backup that the journal knows, says what is lost, and asks for the name', async () => {
    const world = await opened(3);
    write(world, 'before');
    await backUp(world);
    write(world, 'after');
    await world.run(world.clock.sleep(3_600_000));
    const { plans } = await world.run(world.request((engine) => engine.restoring.plan(wish())));
    expect(plans[0]?.text).toMatch(/Everything written since the backup, 1 hour.* ago/);
    expect(plans[0]?.text).toMatch(/[1-9]\d* changes? newer than the backup/);
    expect(plans[0]?.text).toContain('etcd 3.4 cannot raise its revisions');
    expect(await refused(world, wish())).toBe('OPS-005');
    await carriedOut(world, wish());
    expect(written(world)).toEqual(['before']);
    expect(votersOf(world)).toHaveLength(3);
  });

  it('is asked twice: each goes back to what it names, the second after the first', async () => {
    const world = await opened(1);
    write(world, 'first');
    await backUp(world);
    const [older] = world.fleet.backups.map(({ manifest }) => manifest.id);
    await world.run(world.clock.sleep(60_000));
    write(world, 'second');
    await backUp(world);
    await carriedOut(world, wish());
    expect(written(world)).toEqual(['first', 'second']);
    await carriedOut(world, wish({ backup: older ?? '' }));
    expect(written(world)).toEqual(['first']);
    await expectSettled(world, 1);
  });

  it('takes no backup of unknown origin unless somebody accepts it, and none that was changed', async () => {
    const world = await opened(1);
    write(world, 'before');
    await backUp(world);
    const [kept] = world.fleet.backups;
    if (kept === undefined) throw new Error('there is no backup');
    const before = world.fleet.mutatingCalls;
    const id = '20991231T000000Z-0123456789abcdef';
    const foreign = { ...kept, key: 'somebody', manifest: { ...kept.manifest, id } };
    world.fleet.backups.push(foreign);
    expect(await refused(world, wish({ backup: id, confirm: 'demo' }))).toBe('RESTORE-013');
    expect(await refused(world, wish({ backup: 'none', confirm: 'demo' }))).toBe('RESTORE-011');
    const file = { ...kept.manifest.file, sha256: '00'.repeat(32) };
    world.fleet.backups.splice(0, 1, { ...kept, manifest: { ...kept.manifest, file } });
    expect(await refused(world, wish({ backup: kept.manifest.id, confirm: 'demo' }))).toBe('RESTORE-012');
    expect(world.fleet.mutatingCalls).toBe(before);
    await carriedOut(world, wish({ backup: id, acceptsUnknown: true }));
    expect(written(world)).toEqual(['before']);
  });

  it('stops nothing when the file is another by the time it is fetched', async () => {
    const world = await opened(3);
    write(world, 'before');
    await backUp(world);
    const [kept] = world.fleet.backups;
    if (kept === undefined) throw new Error('there is no backup');
    // Somebody who can write there changes the file, and leaves what stands beside it as it was.
    const spoilt = Buffer.from(kept.content, 'base64');
    spoilt[0] = (spoilt[0] ?? 0) ^ 1;
    world.fleet.backups.splice(0, 1, { ...kept, content: spoilt.toString('base64') });
    const asked = wish({ confirm: 'demo' });
    const { operation } = await world.run(world.request((engine) => engine.restoring.start(asked)));
    const view = await world.run(world.ended(operation?.id ?? ''));
    expect(view.state).toBe('failed');
    expect(view.problem?.summary).toContain('is not the file that was kept under that name');
    expect(votersOf(world)).toHaveLength(3);
    expect(world.fleet.violations).toEqual([]);
  });

  it('goes on with the data of who is left, which it finds by itself where only one answers', async () => {
    const world = await opened(3);
    write(world, 'before');
    expect(await refused(world, wish({ from: 'survivor', confirm: 'demo' }))).toBe('RESTORE-014');
    write(world, 'after');
    await lose(world, 'demo-cp-2', 'demo-cp-3');
    const lost = ['demo-cp-2', 'demo-cp-3'];
    const { plans } = await world.run(
      world.request((engine) => engine.restoring.plan(wish({ from: 'survivor', lost }))),
    );
    expect(plans[0]?.text).toContain('had not reached demo-cp-1');
    await carriedOut(world, wish({ from: 'survivor', lost }));
    expect(written(world)).toEqual(['after', 'before']);
    expect(clusterOf(world).machines.has('demo-cp-2')).toBe(false);
  });

  it('lets no old master harm the new cluster that is switched on again while it is restored', async () => {
    const world = await opened(3);
    write(world, 'before');
    await backUp(world);
    await lose(world, 'demo-cp-2', 'demo-cp-3');
    const asked = wish({ lost: ['demo-cp-2', 'demo-cp-3'], confirm: 'demo' });
    const [one, other] = [machineOf(world, 'demo-cp-2'), machineOf(world, 'demo-cp-3')];
    const { operation } = await world.run(world.request((engine) => engine.restoring.start(asked)));
    // Somebody finds the switch in the very moment.
    await world.run(world.clock.sleep(500));
    for (const zombie of [one, other]) world.fleet.setPower(zombie, 'on');
    const view = await world.run(world.ended(operation?.id ?? ''));
    expect(world.fleet.violations, world.explain()).toEqual([]);
    expect(view.state, `${view.problem?.summary}`).toBe('succeeded');
    expect(written(world)).toEqual(['before']);
  });
});
