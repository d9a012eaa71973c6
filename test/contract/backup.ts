import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupDestination, BackupPlace, BackupRequest } from '../../provisioners/contract/backup.ts';
import type { BackupPort } from '../../provisioners/contract/ports/backup.ts';
import type { EtcdSnapshot } from '../../provisioners/contract/ports/etcd.ts';

/** A place where nothing is kept yet. */
export interface BackupBench {
  /** A port as a new agent process has it. */
  backup(): BackupPort;
  readonly destination: BackupDestination;
  stop(): Promise<void>;
}

/** A fake database of so many sectors, with the checksum that etcd puts at its end. */
function databaseOf(sectors: number): Buffer {
  const body = Buffer.alloc(sectors * 512, 'canary of a plain text ');
  body.writeUInt32LE(0xed_0c_da_ed, 16);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** What every BackupPort must do (complaint 8). The tests follow each other through the life of one place. */
export function backupSuite(name: string, makeBench: () => Promise<BackupBench>): void {
  describe(`backup port, ${name}`, () => {
    let bench: BackupBench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const content = databaseOf(700);
    const placeOf = (uid: string): BackupPlace => ({
      cluster: { uid, name: `cluster-${uid}` },
      destination: bench.destination,
    });
    const place = (): BackupPlace => placeOf('c0ffee-1');
    const requestOf = (key: string, minute: number): BackupRequest => ({
      key,
      at: `2026-11-21T05:${String(minute).padStart(2, '0')}:07.123Z`,
      kubernetesVersion: 'v1.20.2',
      recipients: [],
    });
    let begun = 0;
    const snapshotOf =
      (bytes = content, isWhole = true) =>
      async (): Promise<EtcdSnapshot> => {
        begun += 1;
        const data = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < bytes.length; at += 32_768) yield bytes.subarray(at, at + 32_768);
          if (!isWhole) throw new Error('the member was killed');
        };
        return {
          member: 'cp-2',
          etcdVersion: '3.4.23',
          revision: 4711,
          bytes: bytes.length,
          data: data(),
        };
      };
    const idsAt = async (at: BackupPlace): Promise<string[]> =>
      (await bench.backup().list(at)).map(({ id }) => id);

    it('knows nothing of a place where nothing is', async () => {
      expect(await bench.backup().list(place())).toEqual([]);
      expect(await bench.backup().find(place(), 'operation-1/snapshot')).toBeUndefined();
    });

    it('keeps a snapshot and says what it holds, under the key it was made for', async () => {
      const kept = await bench.backup().take(place(), requestOf('operation-1/snapshot', 1), snapshotOf());
      expect(kept).toMatchObject({
        format: 1,
        cluster: place().cluster,
        at: '2026-11-21T05:01:07.123Z',
        kubernetesVersion: 'v1.20.2',
        etcdVersion: '3.4.23',
        revision: 4711,
        member: 'cp-2',
        contains: ['etcd', 'keys'],
        snapshot: { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
      });
      expect(kept.id).toMatch(/^20261121T050107Z-[0-9a-f]{16}$/);
      expect(await bench.backup().find(place(), 'operation-1/snapshot')).toEqual(kept);
      expect(await bench.backup().list(place())).toEqual([kept]);
    });

    it('takes no second one under the same key, whenever it is asked again', async () => {
      const before = begun;
      const [kept] = await bench.backup().list(place());
      const again = await bench.backup().take(place(), requestOf('operation-1/snapshot', 9), snapshotOf());
      expect(again).toEqual(kept);
      expect(begun).toBe(before);
      expect(await idsAt(place())).toHaveLength(1);
    });

    it('keeps nothing of a snapshot that broke off, and tries again', async () => {
      const asked = requestOf('operation-2/snapshot', 2);
      await expect(bench.backup().take(place(), asked, snapshotOf(content, false))).rejects.toThrow(
        'the member was killed',
      );
      expect(await bench.backup().find(place(), asked.key)).toBeUndefined();
      expect(await idsAt(place())).toHaveLength(1);
      await bench.backup().take(place(), asked, snapshotOf());
      expect(await idsAt(place())).toHaveLength(2);
    });

    it('lists the newest first, also one of several megabytes', async () => {
      const large = databaseOf(20_000);
      const kept = await bench
        .backup()
        .take(place(), requestOf('operation-3/snapshot', 3), snapshotOf(large));
      expect(kept.snapshot.bytes).toBe(large.length);
      const ids = await idsAt(place());
      expect(ids).toEqual([...ids].sort().reverse());
      expect(ids[0]).toBe(kept.id);
    });

    it('shows a cluster nothing of another, and removes nothing of another', async () => {
      const [first = ''] = await idsAt(place());
      expect(await bench.backup().list(placeOf('c0ffee-2'))).toEqual([]);
      await bench.backup().remove(placeOf('c0ffee-2'), first);
      expect(await idsAt(place())).toHaveLength(3);
      const other = await bench
        .backup()
        .take(placeOf('c0ffee-2'), requestOf('operation-1/snapshot', 1), snapshotOf());
      expect(await idsAt(placeOf('c0ffee-2'))).toEqual([other.id]);
      expect(await idsAt(place())).toHaveLength(3);
    });

    it('gives a snapshot back, and says at its end when the file is not the one that is known', async () => {
      const [newest] = await bench.backup().list(place());
      if (newest === undefined) throw new Error('there is no backup');
      const readAll = async (fileSha256: string): Promise<string> => {
        const { manifest, data } = await bench.backup().open(place(), newest.id, fileSha256);
        expect(manifest).toEqual(newest);
        const hash = createHash('sha256');
        for await (const piece of data) hash.update(piece);
        return hash.digest('hex');
      };
      expect(await readAll(newest.file.sha256)).toBe(newest.snapshot.sha256);
      await expect(readAll('00'.repeat(32))).rejects.toMatchObject({ report: { code: 'BACKUP-009' } });
      const unknown = '20261121T050107Z-ffffffffffffffff';
      await expect(bench.backup().open(place(), unknown, newest.file.sha256)).rejects.toMatchObject({
        report: { code: 'BACKUP-008' },
      });
    });

    it('removes one; gone is success', async () => {
      const [first = '', ...rest] = await idsAt(place());
      await bench.backup().remove(place(), first);
      await bench.backup().remove(place(), first);
      expect(await idsAt(place())).toEqual(rest);
    });
  });
}
