import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EtcdMember } from '../../provisioners/contract/observed.ts';
import type { ControlPlaneBench } from './bench.ts';

/** A bench with three started voters, one a master, that may be hurt. */
export interface EtcdBench extends ControlPlaneBench {
  /** The member's process ends and stays away. */
  stopMember(name: string): Promise<void>;
  /** Adds a voter at an address where nobody is. */
  addUnstarted(): Promise<void>;
}

/** What every EtcdPort must do (complaints 5, 6). The tests follow each other through one life of a cluster. */
export function etcdSuite(name: string, makeBench: () => Promise<EtcdBench>): void {
  describe(`etcd port, ${name}`, () => {
    let bench: EtcdBench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const members = (): Promise<EtcdMember[]> => bench.ports().etcd.members(bench.access);
    const leader = async (): Promise<EtcdMember> => {
      for (;;) {
        const found = (await members()).find((member) => member.leader);
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const named = async (which: string): Promise<EtcdMember> => {
      const found = (await members()).find((member) => member.name === which);
      if (found === undefined) throw new Error(`no member ${which}`);
      return found;
    };

    it('sees every member, its health, and one leader', async () => {
      await leader();
      const seen = await members();
      expect(seen.map((member) => member.name).sort()).toEqual(
        bench.access.masters.map((master) => master.name).sort(),
      );
      for (const member of seen)
        expect(member).toMatchObject({ started: true, healthy: true, learner: false });
      for (const { id } of seen) expect(id).toMatch(/^[0-9a-f]+$/u);
      expect(seen.filter((member) => member.leader)).toHaveLength(1);
    });

    it('moves leadership; already there is success', async () => {
      const { id } = await leader();
      const to = (await members()).find((member) => member.id !== id)?.id ?? '';
      await bench.ports().etcd.moveLeader(bench.access, to);
      expect((await leader()).id).toBe(to);
      await bench.ports().etcd.moveLeader(bench.access, to);
    });

    it('moves leadership off a member that is not among the masters it is given: one that leaves', async () => {
      const before = await leader();
      const others = bench.access.masters.filter((master) => master.name !== before.name);
      const to = (await members()).find((member) => member.id !== before.id)?.id ?? '';
      await bench.ports().etcd.moveLeader({ ...bench.access, masters: others }, to);
      expect((await leader()).id).toBe(to);
    });

    it('gives a snapshot in whole sectors and their SHA-256, at a revision (complaint 8)', async () => {
      const snapshot = await bench.ports().etcd.snapshot(bench.access);
      const pieces: Uint8Array[] = [];
      for await (const piece of snapshot.data) pieces.push(piece);
      const content = Buffer.concat(pieces);
      expect(content).toHaveLength(snapshot.bytes);
      expect(content.length % 512).toBe(32);
      const digest = createHash('sha256').update(content.subarray(0, -32)).digest();
      expect(content.subarray(-32).equals(digest)).toBe(true);
      expect(snapshot.revision).toBeGreaterThan(0);
      expect(snapshot.etcdVersion).toMatch(/^3\.\d+\.\d+$/u);
      expect(bench.access.masters.map(({ name: each }) => each)).toContain(snapshot.member);
    });

    it('takes an unknown member for removed', async () => {
      await bench.ports().etcd.removeMember(bench.access, 'deadbeef');
      expect(await members()).toHaveLength(3);
    });

    it('removes a member that never started, always', async () => {
      await bench.addUnstarted();
      const unstarted = (await members()).find((member) => !member.started);
      expect(unstarted).toMatchObject({ name: '', healthy: false });
      await bench.ports().etcd.removeMember(bench.access, unstarted?.id ?? '');
      expect(await members()).toHaveLength(3);
    });

    it('refuses to remove a healthy member when the rest would lose quorum, and says who does not answer', async () => {
      const [first, second] = bench.access.masters.map((master) => master.name);
      await bench.stopMember(second ?? '');
      expect(await named(second ?? '')).toMatchObject({ started: true, healthy: false });
      const { id } = await named(first ?? '');
      await expect(bench.ports().etcd.removeMember(bench.access, id)).rejects.toMatchObject({
        report: { kind: 'blocked', summary: expect.stringContaining(second ?? '-') },
      });
      expect(await members()).toHaveLength(3);
    });

    it('removes the dead one, then the leader, whose leadership moves first', async () => {
      const second = await named(bench.access.masters[1]?.name ?? '');
      await bench.ports().etcd.removeMember(bench.access, second.id);
      const before = await leader();
      await bench.ports().etcd.removeMember(bench.access, before.id);
      const after = await leader();
      expect(after.id).not.toBe(before.id);
      expect(await members()).toHaveLength(1);
    });

    it('never removes the last', async () => {
      const [last] = await members();
      await expect(bench.ports().etcd.removeMember(bench.access, last?.id ?? '')).rejects.toMatchObject({
        report: { kind: 'blocked' },
      });
    });

    it('says transient when nobody answers', async () => {
      const access = { ...bench.access, masters: [bench.absent] };
      await expect(bench.ports().etcd.members(access)).rejects.toMatchObject({
        report: { kind: 'transient' },
      });
      await expect(bench.ports().etcd.snapshot(access)).rejects.toMatchObject({
        report: { kind: 'transient' },
      });
    });
  });
}
