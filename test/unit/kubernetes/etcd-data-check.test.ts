import { describe, expect, it } from 'vitest';
import type { EtcdDataPort, EtcdDataState } from '../../../provisioners/contract/etcd-data.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { etcdDataCheck } from '../../../provisioners/kubernetes/steps/etcd-data-check.ts';

const gibibyte = 1024 ** 3;
const machine = { name: 'm1', address: '10.0.0.1', port: 22, user: 'root', hostKeys: ['k'] };
/** A snapshot of one gibibyte: two and a half are to be free for it. */
const input = { machine, restore: '0123456789ab', needs: 2.5 * gibibyte };

const before: EtcdDataState = {
  hasData: true,
  dataBytes: gibibyte,
  freeBytes: 4 * gibibyte,
  isSetAside: false,
  hasAside: false,
};

/** A fake machine on which just this lies. */
async function look(state: EtcdDataState) {
  const etcdData: Partial<EtcdDataPort> = { look: async () => state };
  const context: Partial<StepContext> = { etcdData: etcdData as EtcdDataPort };
  return etcdDataCheck.observe(context as StepContext, input);
}

describe('etcd-data.check (complaint 8)', () => {
  it('asks for room for the former data, the snapshot and what is made of it, before anything is stopped', async () => {
    expect(await look(before)).toEqual({ state: 'done', facts: {} });
    const tight = await look({ ...before, freeBytes: 3 * gibibyte });
    expect(tight).toMatchObject({ state: 'blocked', why: expect.stringContaining('3840 MiB') });
    expect(tight).toMatchObject({ remedy: expect.stringContaining('not touched yet') });
  });

  it('does not ask for the same room again after a cut, when the restore itself has taken it', async () => {
    const fetched = { ...before, snapshot: 'ab', freeBytes: 3 * gibibyte };
    expect(await look(fetched)).toMatchObject({ state: 'done' });
    const aside = { ...fetched, hasData: false, dataBytes: 0, isSetAside: true, hasAside: true };
    expect(await look({ ...aside, freeBytes: 1.8 * gibibyte })).toMatchObject({ state: 'done' });
    const at = '2026-11-21T05:00:00Z';
    const restored = { at, isBumped: false, revision: 1, keys: 1, bytes: gibibyte };
    expect(await look({ ...aside, restored, freeBytes: 0 })).toMatchObject({ state: 'done' });
  });

  it('says nothing of untouched data when it was set aside already', async () => {
    const aside = { ...before, isSetAside: true, hasAside: true, freeBytes: 0 };
    const seen = await look(aside);
    expect(seen).toMatchObject({ state: 'blocked' });
    expect(JSON.stringify(seen)).not.toContain('not touched');
  });
});
