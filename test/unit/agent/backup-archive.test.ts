import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackupArchive } from '../../../appliance/agent/backup/archive.ts';
import { openBundle } from '../../../appliance/agent/backup/bundle.ts';
import type { Destination } from '../../../appliance/agent/backup/destination.ts';
import { drawIdentity, open, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';
import { fakeDatabase, fakeSnapshot } from '../../integration/backup/database.ts';
import { DyingDestination, FakeDestination } from './fake-destination.ts';

const cluster = { uid: 'u1', name: 'east' };
const identity = await drawIdentity();
const recovery = await drawIdentity();
const recipients = [await recipientOf(recovery)];
const sealedKeys = await seal([await recipientOf(identity), ...recipients], '{"etcd":"KEY-CANARY"}');
const content = fakeDatabase(300);

const archiveAt = (destination: Destination, of = cluster): BackupArchive =>
  new BackupArchive(destination, {
    cluster: of,
    identity,
    keys: () => sealedKeys,
    log: () => {},
    signal: () => new AbortController().signal,
  });
const requestOf = (key = 'op-1/etcd.snapshot', at = '2026-11-21T05:00:00.000Z') => ({
  key,
  at,
  kubernetesVersion: 'v1.20.2',
  recipients,
});
const take = (destination: Destination, request = requestOf(), snapshot = fakeSnapshot(content)) =>
  archiveAt(destination).take(request, async () => snapshot);
const fileOf = (destination: FakeDestination, id: string): Buffer =>
  destination.kept.get(`${id}.tar.age`) ?? Buffer.alloc(0);
async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('what a backup holds, and who opens it', () => {
  it('opens with the recovery key alone: snapshot, and keys that are still sealed', async () => {
    const destination = new FakeDestination();
    const manifest = await take(destination);
    const file = fileOf(destination, manifest.id);
    expect(manifest.file).toEqual({
      bytes: file.length,
      sha256: createHash('sha256').update(file).digest('hex'),
    });
    const pieces: Uint8Array[] = [];
    const { keys, description } = await openBundle(recovery, once(file), async (snapshot) => {
      for await (const piece of snapshot) pieces.push(piece);
    });
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(description).toMatchObject({ id: manifest.id, cluster, revision: manifest.revision });
    expect(keys).toBe(sealedKeys);
    expect(await open(recovery, keys, 'the keys')).toContain('KEY-CANARY');
  });

  it('opens for nobody else', async () => {
    const destination = new FakeDestination();
    const { id } = await take(destination);
    const opened = openBundle(await drawIdentity(), once(fileOf(destination, id)), async () => {});
    await expect(opened).rejects.toMatchObject({ report: { code: 'BACKUP-006' } });
  });

  it('shows nothing of it: neither content nor keys stand in any file', async () => {
    const destination = new FakeDestination();
    const canary = Buffer.alloc(512 * 60, 'CONTENT-CANARY ');
    canary.writeUInt32LE(0xed_0c_da_ed, 16);
    const database = Buffer.concat([canary, createHash('sha256').update(canary).digest()]);
    await take(destination, requestOf(), fakeSnapshot(database));
    for (const [name, bytes] of destination.kept) {
      expect(bytes.includes('CANARY'), name).toBe(false);
      expect(bytes.includes('BEGIN AGE'), name).toBe(false);
    }
    expect([...destination.kept.keys()].map((name) => name.replace(/^[^.]*/, ''))).toEqual([
      '.tar.age',
      '.json',
    ]);
  });
});

describe('what is read back is compared before it counts', () => {
  it.each<readonly [string, (bytes: Buffer) => Buffer]>([
    ['one bit is another', (bytes) => flip(bytes, bytes.length >> 1)],
    ['the last bit is another', (bytes) => flip(bytes, bytes.length - 1)],
    ['the end is missing', (bytes) => bytes.subarray(0, -100)],
    ['something follows', (bytes) => Buffer.concat([bytes, Buffer.alloc(10)])],
    ['it is gone', () => Buffer.alloc(0)],
    ['it is something else', (bytes) => Buffer.alloc(bytes.length, 'x')],
  ])('when %s, nothing is kept', async (_how, spoil) => {
    const destination = new FakeDestination();
    destination.spoil = spoil;
    await expect(take(destination)).rejects.toMatchObject({
      report: { kind: 'transient', code: 'BACKUP-005' },
    });
    expect([...destination.kept.keys()]).toEqual([]);
    destination.spoil = (bytes) => bytes;
    expect(await archiveAt(destination).list()).toEqual([]);
    await take(destination);
    expect(await archiveAt(destination).list()).toHaveLength(1);
  });

  it('when it is another backup of the same cluster, nothing is kept', async () => {
    const destination = new FakeDestination();
    const earlier = await take(destination, requestOf('op-0/etcd.snapshot', '2026-11-20T05:00:00.000Z'));
    const older = fileOf(destination, earlier.id);
    destination.spoil = (bytes) => (bytes.length > 10_000 ? older : bytes);
    await expect(take(destination, requestOf(), fakeSnapshot(fakeDatabase(300)))).rejects.toMatchObject({
      report: { code: 'BACKUP-005' },
    });
    expect((await archiveAt(destination).list()).map(({ id }) => id)).toEqual([earlier.id]);
  });
});

describe('what never came to its end', () => {
  it('a file without its manifest is no backup, and makes way for the next try under its key', async () => {
    const destination = new FakeDestination();
    const { id } = await take(destination);
    destination.kept.delete(`${id}.json`);
    expect(await archiveAt(destination).list()).toEqual([]);
    expect(await archiveAt(destination).find('op-1/etcd.snapshot')).toBeUndefined();
    const again = await take(destination, requestOf('op-1/etcd.snapshot', '2026-11-21T05:10:00.000Z'));
    expect([...destination.kept.keys()]).toEqual([`${again.id}.tar.age`, `${again.id}.json`]);
  });

  it('a manifest without its file, or with another, is no backup', async () => {
    const destination = new FakeDestination();
    const { id } = await take(destination);
    const file = fileOf(destination, id);
    destination.kept.set(`${id}.tar.age`, file.subarray(1));
    expect(await archiveAt(destination).list()).toEqual([]);
    destination.kept.delete(`${id}.tar.age`);
    expect(await archiveAt(destination).list()).toEqual([]);
  });

  it('what others left half-written goes after a day, and not before', async () => {
    const destination = new FakeDestination();
    destination.partial.add('20261119T050000Z-00000000000000aa.tar.age');
    destination.partial.add('20261121T040000Z-00000000000000bb.tar.age');
    destination.kept.set('20261119T060000Z-00000000000000cc.tar.age', Buffer.from('x'));
    destination.kept.set('20261121T030000Z-00000000000000dd.tar.age', Buffer.from('x'));
    const { id } = await take(destination);
    expect([...destination.partial]).toEqual(['20261121T040000Z-00000000000000bb.tar.age']);
    expect([...destination.kept.keys()].sort()).toEqual([
      '20261121T030000Z-00000000000000dd.tar.age',
      `${id}.json`,
      `${id}.tar.age`,
    ]);
  });

  it('what is not ours is neither listed nor touched', async () => {
    const destination = new FakeDestination();
    destination.kept.set('notes.txt', Buffer.from('x'));
    destination.kept.set('20261119T060000Z-00000000000000cc.json', Buffer.from('{"format":1}'));
    destination.kept.set('20261119T060000Z-00000000000000ce.json', Buffer.from('no json'));
    await take(destination);
    expect(await archiveAt(destination).list()).toHaveLength(1);
    expect(await archiveAt(destination, { uid: 'u2', name: 'east' }).list()).toEqual([]);
    expect(destination.kept.has('notes.txt')).toBe(true);
    await expect(archiveAt(destination).remove('../notes')).rejects.toThrow();
  });

  it('a snapshot that ends with an error leaves nothing', async () => {
    const destination = new FakeDestination();
    const broken: EtcdSnapshot = fakeSnapshot(content, (at) => {
      if (at > 60_000) throw new Error('the member was killed');
    });
    await expect(take(destination, requestOf(), broken)).rejects.toThrow('the member was killed');
    expect(destination.kept.size).toBe(0);
  });
});

describe('an agent that dies again and again, at any call', () => {
  const someDeaths = fc.array(
    fc.record({
      at: fc.integer({ min: 1, max: 14 }),
      moment: fc.constantFrom('before', 'after'),
      key: fc.constantFrom('op-1/etcd.snapshot', 'op-2/etcd.snapshot'),
      act: fc.constantFrom('take', 'remove'),
    }),
    { maxLength: 6 },
  );
  const small = fakeDatabase(4);
  const minuteOf = (index: number): string => new Date(Date.UTC(2026, 10, 21, 5, index)).toISOString();

  it('never shows what is not whole, and in the end there is one a key and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(someDeaths, async (deaths) => {
        const destination = new FakeDestination();
        for (const [index, { key, act, ...dies }] of deaths.entries()) {
          const [oldest] = (await archiveAt(destination).list()).slice(-1);
          const dying = new DyingDestination(destination, dies);
          const archive = archiveAt(dying);
          const work =
            act === 'take' || oldest === undefined
              ? archive.take(requestOf(key, minuteOf(index)), async () => fakeSnapshot(small))
              : archive.remove(oldest.id);
          await work.catch((error: unknown) => {
            if (!dying.isDead) throw error;
          });
          for (const { id, file } of await archiveAt(destination).list()) {
            const bytes = fileOf(destination, id);
            expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
          }
        }
        const keys = ['op-1/etcd.snapshot', 'op-2/etcd.snapshot'];
        for (const [index, key] of keys.entries())
          await take(destination, requestOf(key, minuteOf(30 + index)), fakeSnapshot(small));
        const left = await archiveAt(destination).list();
        expect(new Set(left.map(({ id }) => id.slice(-16))).size).toBe(2);
        expect(left).toHaveLength(2);
        expect(destination.partial.size).toBe(0);
        expect(destination.kept.size).toBe(4);
      }),
      { numRuns: 60 },
    );
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other.writeUInt8(other.readUInt8(at) ^ 1, at);
  return other;
}
