import { afterEach, describe, expect, it } from 'vitest';
import type { BackupListing } from '../../daemon/operations/backups/listing.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { cutPoints, type Cut } from './boundaries.ts';
import { World } from './harness.ts';
import { begin, fromBackup } from './restore-story.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Cases of who dies outside the full ring, but for the daemon's death. */
const slice = 6;

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** A cluster with so many backups by hand. */
async function made(backups: number, cut?: Cut): Promise<World> {
  const world = new World(cut === undefined ? {} : { cut });
  worlds.push(world);
  await world.open();
  const view = await world.run(world.apply(answerFile({ masters: 1, workers: 0, backup: '{}' }), 'make'));
  expect(view?.state, world.explain()).toBe('succeeded');
  for (let number = 0; number < backups; number += 1) {
    const asked = { cluster: 'demo', principal: 'tester', intent: { kind: 'backup' } } as const;
    await world.run(
      (async () => {
        const idempotencyKey = `backup ${number}`;
        const { operation } = await world.request((engine) =>
          engine.dayTwo.start({ ...asked, idempotencyKey }),
        );
        expect((await world.ended(operation?.id ?? '')).state).toBe('succeeded');
        await world.clock.sleep(60_000);
      })(),
    );
  }
  return world;
}

const ids = (world: World): string[] => world.fleet.backups.map(({ manifest }) => manifest.id).sort();
const list = (world: World): Promise<BackupListing> =>
  world.run(world.request((engine) => engine.backups.list('demo')));

interface Wish {
  readonly confirm?: string;
  readonly mayBeLast?: boolean;
}

const remove = (world: World, id: string, { confirm = id, mayBeLast = false }: Wish = {}) =>
  world.request(async (engine) => {
    await engine.backups.remove({ cluster: 'demo', id, principal: 'tester', confirm, mayBeLast });
    return 'removed';
  });

const codes = (world: World, id: string, wish: Wish = {}): Promise<unknown> =>
  world.run(
    remove(world, id, wish).catch(
      (error: { problems?: { code: string }[] }) => error.problems?.map(({ code }) => code) ?? error,
    ),
  );

describe('backup remove: by hand', () => {
  it('takes the one that is named, with its id once more, and never the last that can be restored', async () => {
    const world = await made(3);
    const [first = '', second = '', third = ''] = ids(world);
    expect(await codes(world, first, { confirm: 'demo' })).toEqual(['REMOVAL-005']);
    expect(await codes(world, '20260101T000000Z-0000000000000000')).toEqual(['REMOVAL-001']);
    expect(ids(world)).toEqual([first, second, third]);
    expect(await codes(world, third)).toBe('removed');
    expect(ids(world)).toEqual([first, second]);
    // The newest that is missing was removed by hand: nobody misses it, and it is no success any more.
    const { backups, lastSuccessAt = '' } = await list(world);
    expect(backups.map(({ id, standing }) => `${id} ${standing}`)).toEqual([
      `${second} good`,
      `${first} good`,
    ]);
    expect(lastSuccessAt.replaceAll(/[-:]|\.\d+Z$/g, '') < third).toBe(true);
    // Once more is the same.
    expect(await codes(world, third)).toBe('removed');
    // What somebody has changed is none to fall back on.
    const changed = world.fleet.backups.find(({ manifest }) => manifest.id === first);
    if (changed !== undefined) changed.manifest.file.sha256 = 'f'.repeat(64);
    expect(await codes(world, second)).toEqual(['REMOVAL-002']);
    expect(await codes(world, first)).toBe('removed');
    expect(await codes(world, second, { mayBeLast: true })).toBe('removed');
    expect(ids(world)).toEqual([]);
    const said = world.daemon?.engine
      .events(0, { limit: 10_000 })
      .filter(({ type }) => type === 'backup.removed');
    expect(said?.map(({ data }) => (data as { id?: string }).id)).toEqual([third, third, first, second]);
  });

  it('refuses what a restore works from, until that has ended', async () => {
    const world = await made(2);
    const [first = '', second = ''] = ids(world);
    const source = world.fleet.backups.find(({ manifest }) => manifest.id === first)?.manifest;
    if (source === undefined) throw new Error('there is no backup');
    const { id } = await begin(world, fromBackup(source));
    expect(await codes(world, first)).toEqual(['REMOVAL-003']);
    expect(await codes(world, second)).toBe('removed');
    expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
    expect(ids(world)).toContain(first);
    expect(await codes(world, first, { mayBeLast: true })).toBe('removed');
  });

  it.each(['agent', 'daemon'] as const)(
    '%s killed at every point: asked again it is gone, and nothing else is',
    async (victim) => {
      await atEveryPoint([victim], async (world, { kept, gone }, where) => {
        expect(await codes(world, gone), where).toBe('removed');
        expect(ids(world), where).toEqual([kept]);
        expect(world.fleet.halfRemovedBackups.size, where).toBe(0);
      });
    },
    600_000,
  );
});

/** Asks for a removal once, as somebody who is not there any more when it is answered. */
async function askOnce(world: World, id: string, mayBeLast = false): Promise<void> {
  const { daemon } = world;
  if (daemon === undefined) throw new Error('no daemon runs');
  const asked = daemon.process.run(() =>
    daemon.engine.backups
      .remove({ cluster: 'demo', id, principal: 'tester', confirm: id, mayBeLast })
      .catch(() => undefined),
  );
  await world.run(Promise.race([asked, daemon.process.death]));
  await world.run(world.clock.sleep(120_000));
}

/** How often events say that a backup is removed. */
const saidRemoved = (world: World, id: string): number =>
  (world.daemon?.engine.events(0, { limit: 10_000 }) ?? []).filter(
    ({ type, data }) => type === 'backup.removed' && (data as { id?: string }).id === id,
  ).length;

/** Removes a backup once undisturbed, then with a death at each boundary, at each of its points. */
async function atEveryPoint(
  kill: Cut['kill'],
  prove: (
    world: World,
    backups: { readonly kept: string; readonly gone: string },
    where: string,
  ) => Promise<void>,
): Promise<void> {
  const undisturbed = await made(2);
  const [kept = '', gone = ''] = ids(undisturbed);
  undisturbed.boundaries.begin();
  expect(await codes(undisturbed, gone)).toBe('removed');
  const crossings = [...undisturbed.boundaries.crossings];
  expect(crossings.map(({ label }) => label).join(' ')).toContain('backup.removeFile');
  const all = crossings.flatMap(({ index, label }) =>
    cutPoints.map((point) => ({ cut: { index, point, kill }, label })),
  );
  const size = isFull || kill.join() === 'daemon' ? all.length : slice;
  const chosen = sample(all, size, seededRandom(seed));
  console.info(`${chosen.length} of ${all.length} cases (REMUDA_SEED=${seed})`);
  for (const { cut, label } of chosen) {
    const world = await made(2, cut);
    world.boundaries.begin();
    await prove(
      world,
      { kept, gone },
      `${kill.join('+')} killed ${cut.point} ${label} (REMUDA_SEED=${seed}, ${cut.index})`,
    );
    world.close();
    worlds.pop();
  }
}

describe('a removal of a backup that was cut off (complaint 3, V8)', () => {
  it.each([[['daemon']], [['agent']], [['daemon', 'agent']]] as const)(
    '%s killed at every point: goes on by itself to its end, and takes nothing else',
    async (kill) => {
      let wentOn = 0;
      await atEveryPoint(kill, async (world, { kept, gone }, where) => {
        await askOnce(world, gone);
        const unfinished = world.daemon?.state.backupRemovals.unfinished();
        expect(unfinished, where).toEqual([]);
        expect(world.fleet.halfRemovedBackups.size, where).toBe(0);
        // Who died before it was written down had not begun: all is as it was.
        const uid = world.daemon?.engine.getCluster('demo').uid ?? '';
        const isAsked = world.daemon?.state.backupRemovals.destinationOf(uid, gone) !== undefined;
        expect(ids(world), where).toEqual(isAsked ? [kept] : [kept, gone]);
        expect(saidRemoved(world, gone), where).toBe(isAsked ? 1 : 0);
        if (isAsked) wentOn += 1;
      });
      expect(wentOn).toBeGreaterThan(0);
    },
    600_000,
  );

  it('waits for a restore that works from it, and takes the last one only if that was said', async () => {
    const world = await made(2);
    const [first = '', second = ''] = ids(world);
    const { uid } = world.daemon?.engine.getCluster('demo') ?? { uid: '' };
    const found = world.daemon?.state.backups.find(uid, first);
    if (found === undefined) throw new Error('there is no backup');
    // As a daemon left it that died when it had written down what was asked.
    const ask = (backup: string, mayBeLast: boolean): void => {
      const asked = { cluster: uid, backup, destination: found.destination, principal: 'tester', mayBeLast };
      world.daemon?.state.backupRemovals.ask(asked, new Date(world.clock.milliseconds()).toISOString());
      world.kill(['daemon']);
    };
    const source = world.fleet.backups.find(({ manifest }) => manifest.id === first)?.manifest;
    if (source === undefined) throw new Error('there is no backup');
    const { id } = await begin(world, fromBackup(source));
    ask(first, false);
    await world.run(world.clock.sleep(60_000));
    expect(ids(world)).toContain(first);
    expect((await world.run(world.ended(id))).state, world.explain()).toBe('succeeded');
    await world.run(world.clock.sleep(20 * 60_000));
    expect(ids(world)).not.toContain(first);
    const others = ids(world).filter((one) => one !== second);
    for (const other of others) expect(await codes(world, other)).toBe('removed');
    ask(second, false);
    await world.run(world.clock.sleep(20 * 60_000));
    expect(ids(world)).toEqual([second]);
    const told = (world.daemon?.engine.events(0, { limit: 10_000 }) ?? []).filter(
      ({ type }) => type === 'backup.removal-postponed',
    );
    expect(told.map(({ data }) => (data as { problem: { code: string } }).problem.code)).toEqual([
      'REMOVAL-003',
      'REMOVAL-002',
    ]);
    ask(second, true);
    await world.run(world.clock.sleep(60_000));
    expect(ids(world)).toEqual([]);
  });
});
