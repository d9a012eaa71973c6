import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EtcdDataPort } from '../../provisioners/contract/etcd-data.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { EtcdSnapshot } from '../../provisioners/contract/ports/etcd.ts';

/** A master whose etcd runs, with a way to stop it and to start it again. */
export interface EtcdDataBench {
  data(): EtcdDataPort;
  readonly machine: MachineRef;
  snapshot(): Promise<EtcdSnapshot>;
  /** Its process ends, and nothing starts it. */
  stopEtcd(): Promise<void>;
  stop(): Promise<void>;
}

const first = '0000000000c1';
const second = '0000000000c2';

/** What every EtcdDataPort must do (complaint 8). The tests follow each other through one restore, and another. */
export function etcdDataSuite(name: string, makeBench: () => Promise<EtcdDataBench>): void {
  describe(`etcd data port, ${name}`, () => {
    let bench: EtcdDataBench;
    let content = Buffer.alloc(0);
    let revision = 0;
    beforeAll(async () => {
      bench = await makeBench();
      const snapshot = await bench.snapshot();
      const pieces: Uint8Array[] = [];
      for await (const piece of snapshot.data) pieces.push(piece);
      content = Buffer.concat(pieces);
      ({ revision } = snapshot);
    });
    afterAll(() => bench?.stop());

    const look = (restore = first) => bench.data().look(bench.machine, restore);
    const sha256 = (bytes = content): string => createHash('sha256').update(bytes).digest('hex');
    async function* inPieces(bytes = content): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 3000) yield bytes.subarray(at, at + 3000);
    }
    const member = () => ({ name: bench.machine.name, peerURL: `https://${bench.machine.address}:2380` });

    it('sees data, room, and nothing of a restore that never was', async () => {
      const seen = await look();
      expect(seen).toMatchObject({ hasData: true, isSetAside: false, hasAside: false });
      expect(seen.dataBytes).toBeGreaterThan(0);
      expect(seen.freeBytes).toBeGreaterThan(0);
      expect(seen.snapshot).toBeUndefined();
      expect(seen.restored).toBeUndefined();
    });

    it('lays a snapshot down whole or not at all, also when it is asked twice', async () => {
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield content.subarray(0, 1000);
        throw new Error('the line was lost');
      };
      const port = bench.data();
      await expect(port.place(bench.machine, first, { sha256: sha256(), data: broken() })).rejects.toThrow(
        'the line was lost',
      );
      await expect(
        port.place(bench.machine, first, { sha256: '00'.repeat(32), data: inPieces() }),
      ).rejects.toThrow(/SHA-256/);
      expect((await look()).snapshot).toBeUndefined();
      for (let turn = 0; turn < 2; turn += 1)
        await port.place(bench.machine, first, { sha256: sha256(), data: inPieces() });
      expect((await look()).snapshot).toBe(sha256());
      expect((await look(second)).snapshot).toBeUndefined();
    });

    it("says in etcd's own words what it holds", async () => {
      const status = await bench.data().status(bench.machine, first);
      expect(status.revision).toBeGreaterThanOrEqual(revision);
      expect(status.keys).toBeGreaterThan(0);
      expect(status.bytes).toBeGreaterThan(0);
    });

    it('touches no data that a process has open, and makes none where some is', async () => {
      await expect(bench.data().setAside(bench.machine, first)).rejects.toMatchObject({
        report: { code: 'RESTORE-002', kind: 'blocked' },
      });
      await expect(
        bench.data().restore(bench.machine, first, { source: 'snapshot', ...member() }),
      ).rejects.toMatchObject({ report: { code: 'RESTORE-001', kind: 'blocked' } });
      expect(await look()).toMatchObject({ hasData: true, isSetAside: false });
    });

    it('sets aside and keeps; again is success', async () => {
      await bench.stopEtcd();
      for (let turn = 0; turn < 2; turn += 1) await bench.data().setAside(bench.machine, first);
      expect(await look()).toMatchObject({ hasData: false, isSetAside: true, hasAside: true });
    });

    it('makes new data once, and says when, of what, and whether revisions were raised', async () => {
      for (let turn = 0; turn < 2; turn += 1)
        await bench.data().restore(bench.machine, first, { source: 'snapshot', ...member() });
      const { restored, hasData } = await look();
      expect(hasData).toBe(true);
      expect(restored?.revision).toBeGreaterThanOrEqual(revision);
      expect(Date.parse(restored?.at ?? '')).toBeGreaterThan(0);
      expect(typeof restored?.isBumped).toBe('boolean');
      // Nothing is set aside a second time: it would be the new data.
      await bench.data().setAside(bench.machine, first);
      expect((await look()).hasData).toBe(true);
    });

    it('starts over under another key: what the first made is set aside in its turn, and can be the source', async () => {
      await bench.data().setAside(bench.machine, second);
      expect(await look(second)).toMatchObject({ hasData: false, hasAside: true });
      await bench.data().restore(bench.machine, second, { source: 'aside', ...member() });
      expect((await look(second)).restored?.revision).toBeGreaterThanOrEqual(revision);
      expect((await look()).hasAside).toBe(true);
    });

    it('refuses a key that leads elsewhere', async () => {
      await expect(bench.data().look(bench.machine, '../../etc')).rejects.toThrow();
    });
  });
}
