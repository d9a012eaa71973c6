import { afterEach, describe, expect, it } from 'vitest';
import type { BackupListing } from '../../daemon/operations/backups/listing.ts';
import { answerFile } from './answer-file.ts';
import { cutPoints, type Cut } from './boundaries.ts';
import { World } from './harness.ts';
import { begin, fromBackup } from './restore-story.ts';

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
      const undisturbed = await made(2);
      const [kept = '', gone = ''] = ids(undisturbed);
      undisturbed.boundaries.begin();
      expect(await codes(undisturbed, gone)).toBe('removed');
      const { length } = undisturbed.boundaries.crossings;
      expect(length).toBeGreaterThan(1);
      for (let index = 0; index < length; index += 1)
        for (const point of cutPoints) {
          const world = await made(2, { index, point, kill: [victim] });
          world.boundaries.begin();
          expect(await codes(world, gone), `${index} ${point}`).toBe('removed');
          expect(ids(world), `${index} ${point}`).toEqual([kept]);
          world.close();
          worlds.pop();
        }
    },
    600_000,
  );
});
